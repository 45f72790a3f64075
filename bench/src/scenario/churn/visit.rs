//! One visit: somebody comes by some door, does a few things, and goes in some way.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::ledger::{Sent, Shelf};
use super::line::Line;
use super::vanish::Exit;
use super::world::World;
use crate::client::{Dialer, Http, RawClient, Request, answer};

/// The longest any step may take.
const STEP: Duration = Duration::from_secs(30);
/// Users chat with so many of those after them.
const FRIENDS: usize = 8;

/// Comes, does something, goes. What goes otherwise than it should is noted.
pub async fn visit(world: &World) {
    world.tally.visits.add();
    let mut dice = Dice::new();
    let visited = match dice.roll(20) {
        0..10 => chat(world, &mut dice, false).await,
        10..13 => chat(world, &mut dice, true).await,
        13..15 => drive(world, &mut dice).await,
        15 => watch(world, &mut dice).await,
        16 => knock(world, &mut dice).await,
        17 => upgrade_only(world, &mut dice).await,
        18 => upload(world, &mut dice).await,
        _ => sign_in(world, &mut dice).await,
    };
    if let Err(error) = visited {
        world.tally.fail(format!("{error:#}"));
    }
}

/// Chats over Socket.IO.
async fn chat(world: &World, dice: &mut Dice, polling: bool) -> Result<()> {
    let number = dice.roll(world.user_count());
    let user = world.user(number);
    let (namespace, dialer) = dice.pick(&world.dialers);
    let connecting = timeout(STEP, Line::connect(dialer, &user.token, polling)).await;
    let what = if polling { "polling" } else { "a socket" };
    let mut line =
        connecting.context("connecting")?.with_context(|| format!("{what} to {namespace}"))?;
    for _ in 0..dice.roll(8) {
        sleep(Duration::from_millis(dice.roll(1_000) as u64)).await;
        let rooms = *namespace == "/rooms" || (*namespace == "/" && dice.roll(2) == 0);
        let step = async {
            if rooms {
                in_room(world, dialer, dice, &mut line, &user.token).await
            } else {
                in_chat(world, dice, &mut line, number).await
            }
        };
        timeout(STEP, step)
            .await
            .with_context(|| format!("a step in {namespace} over {what}"))??;
    }
    match Exit::any(dice) {
        Exit::Close => line.close().await,
        exit => {
            let half = dice.roll(4) == 0;
            if half {
                world.tally.half.add();
            }
            let stream = line.abandon(half).await?;
            exit.take(world, stream).await
        }
    }
}

/// Does something of one-to-one chat.
async fn in_chat(world: &World, dice: &mut Dice, line: &mut Line, number: usize) -> Result<()> {
    let other = (number + 1 + dice.roll(FRIENDS)) % world.user_count();
    let receiver = world.user(other).id.clone();
    let (event, payload) = match dice.roll(8) {
        0..5 => return send_to(world, line, number, other).await,
        5 => ("typing_start", json!({ "receiverId": receiver })),
        6 => ("typing_stop", json!({ "receiverId": receiver })),
        _ => ("sync", json!({})),
    };
    tell(world, line, event, &payload).await
}

/// One user sends another a message.
pub async fn send_to(world: &World, line: &mut Line, from: usize, to: usize) -> Result<()> {
    let receiver = &world.user(to).id;
    let content =
        format!("one of many messages of this kind, as long as they are on average, {receiver}");
    let payload = json!({ "receiverId": receiver, "content": content });
    send(world, line, &payload, Shelf::of(from, to)).await
}

/// Does something in a room.
async fn in_room(
    world: &World,
    dialer: &Dialer,
    dice: &mut Dice,
    line: &mut Line,
    token: &str,
) -> Result<()> {
    let room = world.room(dice).id;
    let mut http = Http::new(dialer.tcp().await?, dialer.host());
    let join = format!("/rooms/{room}/join");
    let (status, body) =
        http.ask(Request::post(&join, "application/json", "{}").bearer(token)).await?;
    ensure!(matches!(status, 200 | 409 | 429), "joining was answered {status}: {body}");
    let named = json!({ "roomId": room });
    tell(world, line, "join_room", &named).await?;
    let message = json!({ "roomId": room, "content": "one of many messages in a room, as long as they are on average" });
    send(world, line, &message, Shelf::Room(Arc::clone(&room))).await?;
    match dice.roll(3) {
        0 => tell(world, line, "typing", &json!({ "roomId": room, "isTyping": true })).await,
        1 => tell(world, line, "leave_room", &named).await,
        _ => Ok(()),
    }
}

/// Sends a message, and notes it when it is acknowledged.
async fn send(world: &World, line: &mut Line, payload: &Value, shelf: Shelf) -> Result<()> {
    let body = line.ask("send_message", payload).await?;
    match answer::<Sent>(&body) {
        Ok(Sent { message }) => {
            world.tally.messages.add();
            world.ledger.note(shelf, message);
            Ok(())
        }
        Err(refusal) => refused(world, "send_message", &refusal),
    }
}

/// Emits another event.
async fn tell(world: &World, line: &mut Line, event: &str, payload: &Value) -> Result<()> {
    match answer::<Value>(&line.ask(event, payload).await?) {
        Ok(_) => {
            world.tally.events.add();
            Ok(())
        }
        Err(refusal) => refused(world, event, &refusal),
    }
}

/// A limit may refuse; so may a room that was not joined because of one.
fn refused(world: &World, event: &str, refusal: &str) -> Result<()> {
    world.tally.refused.add();
    let expected = ["rate_limited", "forbidden"].iter().any(|code| refusal.starts_with(code));
    ensure!(expected, "{event} was refused: {refusal}");
    Ok(())
}

/// Drives: says positions over the raw socket. Whoever drives already is replaced.
async fn drive(world: &World, dice: &mut Dice) -> Result<()> {
    let driver = dice.pick(&world.drivers);
    let path = format!("/api/v1/ws/driver/{}?token={}", driver.id, driver.token);
    let mut client = dice.pick(&world.dialers).1.connect_raw(&path).await?;
    for _ in 0..dice.roll(6) {
        let data = json!({ "latitude": 40.0 + dice.roll(1_000) as f64 / 1e4, "longitude": -74.0 });
        let update = json!({ "type": "location_update", "data": data }).to_string();
        if client.write(&update).await.is_err() || is_gone(&mut client, dice).await? {
            return Ok(());
        }
        world.tally.positions.add();
    }
    leave_raw(world, dice, client).await
}

/// Watches a driver over the raw socket `/`.
async fn watch(world: &World, dice: &mut Dice) -> Result<()> {
    let user = world.user(dice.roll(world.user_count()));
    let mut client = dice.pick(&world.dialers).1.connect_raw("/").await?;
    let auth = json!({ "type": "auth", "role": "client", "token": user.token });
    client.write(&auth.to_string()).await?;
    let watch = json!({ "type": "watch", "driverId": dice.pick(&world.drivers).username });
    client.write(&watch.to_string()).await?;
    for _ in 0..dice.roll(4) {
        ensure!(!is_gone(&mut client, dice).await?, "the server closed a watcher");
    }
    leave_raw(world, dice, client).await
}

/// Listens for up to a second. Tells whether a newer connection of the same driver has taken its place.
async fn is_gone(client: &mut RawClient, dice: &mut Dice) -> Result<bool> {
    let listening = async {
        loop {
            client.read(|_| Ok(())).await?;
        }
    };
    match timeout(Duration::from_millis(dice.roll(1_000) as u64), listening).await {
        Err(_) => Ok(false),
        Ok(Err::<(), anyhow::Error>(error)) if format!("{error:#}").contains("4003") => Ok(true),
        Ok(ended) => ended.map(|()| true),
    }
}

async fn leave_raw(world: &World, dice: &mut Dice, mut client: RawClient) -> Result<()> {
    match Exit::any(dice) {
        Exit::Close => client.close().await,
        exit => {
            if dice.roll(4) == 0 {
                world.tally.half.add();
                // The newer connection of a driver may have ended this one just now.
                let _ = client.write_part().await;
            }
            return exit.take(world, client.into_tcp()).await;
        }
    }
    Ok(())
}

/// Begins to ask for something, and goes in the middle of it: at any byte of the head, the first included.
async fn knock(world: &World, dice: &mut Dice) -> Result<()> {
    let dialer = &dice.pick(&world.dialers).1;
    let mut stream = dialer.tcp().await?;
    let head = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nUpgrade: we",
        dialer.host()
    );
    stream.write_all(&head.as_bytes()[..dice.roll(head.len())]).await?;
    world.tally.half.add();
    Exit::rude(dice).take(world, stream).await
}

/// Opens a transport, and joins no namespace.
async fn upgrade_only(world: &World, dice: &mut Dice) -> Result<()> {
    let client =
        dice.pick(&world.dialers).1.connect_raw("/socket.io/?EIO=4&transport=websocket").await?;
    world.tally.half.add();
    Exit::rude(dice).take(world, client.into_tcp()).await
}

/// Sends half of a large request.
async fn upload(world: &World, dice: &mut Dice) -> Result<()> {
    let dialer = &dice.pick(&world.dialers).1;
    let user = world.user(dice.roll(world.user_count()));
    let mut http = Http::new(dialer.tcp().await?, dialer.host());
    let body = json!({ "name": "x".repeat(200_000) }).to_string();
    http.send(Request::post("/rooms", "application/json", &body).bearer(&user.token), 100_000)
        .await?;
    world.tally.half.add();
    Exit::rude(dice).take(world, http.into_tcp()).await
}

/// Signs in anew, looks at the inbox, and signs out again, or not.
async fn sign_in(world: &World, dice: &mut Dice) -> Result<()> {
    let dialer = &dice.pick(&world.dialers).1;
    let user = world.user(dice.roll(world.user_count()));
    let mut http = Http::new(dialer.tcp().await?, dialer.host());
    let json = "application/json";
    let body =
        json!({ "username": user.username, "password": "correct horse battery" }).to_string();
    let (status, body) = http.ask(Request::post("/api/auth/login", json, &body)).await?;
    ensure!(status == 200, "a login was answered {status}: {body}");
    let login: Value = serde_json::from_str(&body)?;
    let token = login["data"]["token"].as_str().context("no token")?;
    let (status, body) = http.ask(Request::get("/api/conversations").bearer(token)).await?;
    ensure!(status == 200, "the inbox was answered {status}: {body}");
    if dice.roll(2) == 0 {
        let logout = Request::post("/api/auth/logout", json, "{}").bearer(token);
        let (status, body) = http.ask(logout).await?;
        if status != 200 {
            bail!("a logout was answered {status}: {body}");
        }
    }
    Exit::any(dice).take(world, http.into_tcp()).await
}
