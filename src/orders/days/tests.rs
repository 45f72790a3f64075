//! Days against instants that were calculated by hand from the rules of each zone.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZoneName {
    name.parse().unwrap()
}

/// Checks the bounds of the days from `first` to `last`, and that each day that is not empty is
/// that day from its start to its end.
#[track_caller]
fn check(name: &str, (first, last): (Date, Date), expected: &[&str]) {
    let zone = zone(name);
    let bounds = bounds(&zone, first, last);
    let expected: Vec<Timestamp> = expected.iter().map(|time| time.parse().unwrap()).collect();
    assert_eq!(bounds, expected, "{name}");
    let days = first.series(jiff::Span::new().days(1));
    for (day, ends) in days.zip(bounds.windows(2)).filter(|(_, ends)| ends[0] < ends[1]) {
        let last = Timestamp::from_millis(ends[1].millis() - 1);
        assert_eq!((today(&zone, ends[0]), today(&zone, last)), (day, day), "{name}");
    }
}

#[test]
fn days_are_as_long_as_they_are_where_the_clock_changes() {
    check(
        "UTC",
        (date(2024, 2, 28), date(2024, 3, 1)),
        &[
            "2024-02-28T00:00:00Z",
            "2024-02-29T00:00:00Z",
            "2024-03-01T00:00:00Z",
            "2024-03-02T00:00:00Z",
        ],
    );
    // From +1 to +2 on the 30th at 2:00, back on the 26th at 3:00.
    check(
        "Europe/Vienna",
        (date(2025, 3, 29), date(2025, 3, 31)),
        &[
            "2025-03-28T23:00:00Z",
            "2025-03-29T23:00:00Z",
            "2025-03-30T22:00:00Z",
            "2025-03-31T22:00:00Z",
        ],
    );
    check(
        "Europe/Vienna",
        (date(2025, 10, 26), date(2025, 10, 26)),
        &["2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"],
    );
    // From -5 to -4 on the 9th at 2:00.
    check(
        "America/New_York",
        (date(2025, 3, 9), date(2025, 3, 10)),
        &["2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z", "2025-03-11T04:00:00Z"],
    );
}

#[test]
fn offsets_and_changes_of_half_an_hour_are_minded() {
    check(
        "Asia/Kolkata",
        (date(2025, 3, 30), date(2025, 3, 30)),
        &["2025-03-29T18:30:00Z", "2025-03-30T18:30:00Z"],
    );
    // From +11 to +10:30 on the 6th at 2:00.
    check(
        "Australia/Lord_Howe",
        (date(2025, 4, 6), date(2025, 4, 7)),
        &["2025-04-05T13:00:00Z", "2025-04-06T13:30:00Z", "2025-04-07T13:30:00Z"],
    );
}

#[test]
fn a_day_without_midnight_starts_where_the_clock_jumps() {
    // From -3 to -2 on the 4th at 0:00.
    check(
        "America/Sao_Paulo",
        (date(2018, 11, 3), date(2018, 11, 4)),
        &["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
    );
    // From +2 to +3 on the 31st at 0:00.
    check(
        "Asia/Beirut",
        (date(2024, 3, 30), date(2024, 3, 31)),
        &["2024-03-29T22:00:00Z", "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z"],
    );
    // From -5 to -4 on the 30th at 23:30: the 31st starts at 0:30.
    check(
        "America/Toronto",
        (date(1919, 3, 30), date(1919, 3, 31)),
        &["1919-03-30T05:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"],
    );
}

#[test]
fn of_two_midnights_the_first_starts_the_day() {
    // From -4 to -5 on the 3rd at 1:00.
    check(
        "America/Havana",
        (date(2024, 11, 2), date(2024, 11, 3)),
        &["2024-11-02T04:00:00Z", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"],
    );
}

#[test]
fn a_day_that_a_zone_left_out_is_empty() {
    // From -10 to +14 after the 29th.
    check(
        "Pacific/Apia",
        (date(2011, 12, 29), date(2011, 12, 31)),
        &[
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
        ],
    );
    check("UTC", (date(2025, 5, 2), date(2025, 5, 1)), &[]);
}

#[test]
fn today_is_the_day_of_the_zone() {
    let now = "2025-03-30T22:30:00Z".parse().unwrap();
    for (name, day) in [("UTC", 30), ("Europe/Vienna", 31), ("America/New_York", 30)] {
        assert_eq!(today(&zone(name), now), date(2025, 3, day), "{name}");
    }
    assert_eq!(today(&zone("Pacific/Kiritimati"), now), date(2025, 3, 31));
    assert_eq!(today(&zone("Pacific/Pago_Pago"), now), date(2025, 3, 30));
}

#[test]
fn a_zone_has_a_name_of_the_iana_database_and_nothing_else() {
    assert_eq!(TimeZoneName::default(), zone("UTC"));
    for (name, shown) in [
        ("Europe/Vienna", "Europe/Vienna"),
        ("america/argentina/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("UTC", "UTC"),
    ] {
        assert_eq!(zone(name).to_string(), shown);
    }
    for name in [
        "",
        " ",
        "Vienna",
        "Europe/",
        " Europe/Vienna",
        "+02:00",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT4",
        "/usr/share/zoneinfo/Europe/Vienna",
        "../zoneinfo/Europe/Vienna",
        "posix/Europe/Vienna",
        "localtime",
        "Etc/Unknown",
    ] {
        let refused = name.parse::<TimeZoneName>();
        assert_eq!(refused, Err("must be an IANA time zone as in Europe/Vienna"), "{name}");
    }
}

#[test]
fn the_ends_of_all_time_are_no_end_of_the_program() {
    for name in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        for day in [Date::MIN, Date::MAX] {
            let bounds = bounds(&zone(name), day, day);
            assert!(bounds.len() == 2 && bounds[0] <= bounds[1], "{name} {bounds:?}");
        }
    }
}

proptest! {
    /// In every zone, days follow one another and hold the moments that are on them.
    #[test]
    fn every_moment_is_in_its_day(
        at in any::<prop::sample::Index>(),
        millis in 946_684_800_000_i64..1_893_456_000_000,
    ) {
        let names: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
        let name = at.get(&names);
        let Ok(zone) = name.parse() else { return Ok(()) };
        let now = Timestamp::from_millis(millis);
        let day = today(&zone, now);
        let bounds = bounds(&zone, day, day);
        // After a clock went back over midnight, it is the day before once more: three hours long
        // at most, in Antarctica/Casey.
        let slack = std::time::Duration::from_hours(3);
        prop_assert!(bounds[0] <= now && now < bounds[1] + slack, "{} {:?} {:?}", name, now, bounds);
    }
}
