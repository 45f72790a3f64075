//! A replica set of three, whose primary a test may depose or kill.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};

use super::mongod::Mongod;
use super::wait::until;

/// For an election, twice what one may take, on a busy machine.
const ELECTION: Duration = Duration::from_secs(60);

pub(crate) struct ReplicaSet {
    members: [Mongod; 3],
}

impl ReplicaSet {
    pub(crate) async fn start() -> Self {
        let set = Self { members: [Mongod::new(), Mongod::new(), Mongod::new()] };
        for member in &set.members {
            member.start_member().await;
        }
        let members: Vec<_> = (set.members.iter().enumerate())
            .map(|(id, one)| doc! { "_id": id as i32, "host": format!("127.0.0.1:{}", one.port()) })
            .collect();
        let wanted = doc! { "replSetInitiate": { "_id": "rs0", "members": members } };
        until("the set is made", ELECTION, async || command(&set.members[0], wanted.clone()).await)
            .await;
        set.primary().await;
        set
    }

    pub(crate) fn uri(&self, database: &str) -> String {
        let hosts = self.members.each_ref().map(|one| format!("127.0.0.1:{}", one.port()));
        format!("mongodb://{}/{database}?replicaSet=rs0", hosts.join(","))
    }

    /// The member that takes writes, as soon as there is one.
    pub(crate) async fn primary(&self) -> &Mongod {
        let (primary, _) = until("there is a primary", ELECTION, async || {
            for member in self.members.iter().filter(|member| !member.has_ended()) {
                let hello = command(member, doc! { "hello": 1 }).await;
                if hello
                    .is_some_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or_default())
                {
                    return Some(member);
                }
            }
            None
        })
        .await;
        primary
    }

    /// All members but one.
    pub(crate) fn without<'a>(&'a self, one: &Mongod) -> impl Iterator<Item = &'a Mongod> {
        self.members.iter().filter(move |member| member.port() != one.port())
    }

    /// Has the primary give way to another member.
    pub(crate) async fn step_down(&self) {
        let primary = self.primary().await;
        // For so long it does not stand for election: no longer than others need to be elected.
        let wanted = doc! { "replSetStepDown": 6, "secondaryCatchUpPeriodSecs": 5 };
        until("the primary steps down", ELECTION, async || command(primary, wanted.clone()).await)
            .await;
    }
}

/// Runs a command on one member, whatever it is in the set; `None` when that fails.
async fn command(member: &Mongod, wanted: Document) -> Option<Document> {
    let uri = format!(
        "mongodb://127.0.0.1:{}/?directConnection=true&serverSelectionTimeoutMS=500",
        member.port()
    );
    let client = Client::with_uri_str(uri).await.unwrap();
    client.database("admin").run_command(wanted).await.ok()
}
