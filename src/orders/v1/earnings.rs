//! `/api/v1/earnings`: what a driver has earned, by days of the driver's time zone.

use std::sync::Arc;

use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::docs::V1Failed;
use crate::drivers::service::must_drive;
use crate::error::{Error, Fields, Result};
use crate::money::Money;
use crate::orders::days::{self, TimeZoneName};
use crate::orders::model::Earned;
use crate::orders::service::Orders;
use crate::page;
use crate::rest::{Params, Reply};

/// Days of one answer, usually and at most.
const DAYS: (u32, u32) = (30, 366);

/// What a driver earned on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Day {
    /// Which day, in the driver's time zone.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The sum of the orders delivered on it.
    total: Money,
    /// How many those are.
    orders: u64,
}

fn as_text<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// `{date, total, orders, currency}`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Today {
    #[serde(flatten)]
    day: Day,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
}

/// `{days, total, orders, currency}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EarningsHistory)]
pub(super) struct History {
    /// The latest first; days without an order are there, with nothing.
    days: Vec<Day>,
    /// The sum of all.
    total: Money,
    /// How many orders those are.
    orders: u64,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
}

/// Parameters of `earnings/today`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TodayParams {
    /// IANA time zone; UTC when nothing is said.
    tz: Option<String>,
}

/// Parameters of `earnings/history`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryParams {
    /// IANA time zone; UTC when nothing is said.
    tz: Option<String>,
    /// The first day, as in 2025-05-20; as far back as `limit` reaches when nothing is said. Without
    /// a `limit` it may be 365 days before the last.
    #[param(value_type = Option<String>)]
    from: Option<String>,
    /// The last day, included; today when nothing is said.
    #[param(value_type = Option<String>)]
    to: Option<String>,
    /// Days, the latest: 1 to 366; 30 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// The days that were asked for.
struct Days {
    zone: TimeZoneName,
    first: Date,
    last: Date,
}

impl HistoryParams {
    fn parse(self, orders: &Orders) -> Result<Days> {
        let mut fields = Fields::new();
        let zone = fields.optional("tz", self.tz, |name| name.parse::<TimeZoneName>());
        let day = |text: String| text.parse::<Date>().map_err(|_| "must be a day as in 2025-05-20");
        let from = fields.optional("from", self.from, day);
        let to = fields.optional("to", self.to, day);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            fields.reject("to", "must not be before from");
        }
        let limit = fields.check(page::limit(self.limit.as_deref(), DAYS.0, DAYS.1));
        let limit = fields.into_result(limit)?;
        // Who names both ends wants all between them.
        let limit = if from.is_some() && self.limit.is_none() { DAYS.1 } else { limit };
        let zone = zone.unwrap_or_default();
        let last = to.unwrap_or_else(|| days::today(&zone, orders.now()));
        let back = jiff::Span::new().days(i64::from(limit) - 1);
        let furthest = last.checked_sub(back).map_err(|_| Error::invalid("to", "is too early"))?;
        if self.limit.is_none() && from.is_some_and(|from| from < furthest) {
            let rule = format!("must be at most {} days before the last", DAYS.1 - 1);
            return Err(Error::invalid("from", rule));
        }
        let first = from.map_or(furthest, |from| from.max(furthest));
        Ok(Days { zone, first: first.min(last), last })
    }
}

/// What the driver who calls has earned today
#[utoipa::path(get, path = "/earnings/today", operation_id = "v1_earnings_today", tag = "driver app", params(TodayParams),
    responses((status = 200, body = Today), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
pub(super) async fn today(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Params(params): Params<TodayParams>,
) -> Result<Reply<Today>> {
    must_drive(caller)?;
    let mut fields = Fields::new();
    let zone = fields.optional("tz", params.tz, |name| name.parse::<TimeZoneName>());
    fields.finish()?;
    let zone = zone.unwrap_or_default();
    let date = days::today(&zone, orders.now());
    let earned = orders.earned(caller, &days::bounds(&zone, date, date)).await?;
    let Earned { total, orders: count } = earned.first().copied().unwrap_or_default();
    let currency = orders.currency().to_owned();
    Ok(Reply::ok("Earnings", Today { day: Day { date, total, orders: count }, currency }))
}

/// What the driver who calls has earned, day by day
#[utoipa::path(get, path = "/earnings/history", operation_id = "v1_earnings_history", tag = "driver app", params(HistoryParams),
    responses((status = 200, body = History), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
pub(super) async fn history(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Params(params): Params<HistoryParams>,
) -> Result<Reply<History>> {
    must_drive(caller)?;
    let Days { zone, first, last } = params.parse(&orders)?;
    let bounds = days::bounds(&zone, first, last);
    let earned = orders.earned(caller, &bounds).await?;
    let mut days: Vec<Day> = first
        .series(jiff::Span::new().days(1))
        .zip(earned.iter().zip(bounds.windows(2)))
        // A day that the zone left out has no length.
        .filter(|(_, (_, bounds))| bounds[0] < bounds[1])
        .map(|(date, (Earned { total, orders }, _))| Day { date, total: *total, orders: *orders })
        .collect();
    days.reverse();
    let history = History {
        total: days.iter().map(|day| day.total).sum(),
        orders: days.iter().map(|day| day.orders).sum(),
        days,
        currency: orders.currency().to_owned(),
    };
    Ok(Reply::ok("Earnings", history))
}
