//! Decisions that were kept: one suite for both SQL engines.

use std::sync::Arc;

use fedgate::{
    domain::{
        secret::{Secret, SecretRef},
        time::Timestamp,
    },
    port::{
        clock::Clock,
        decisions::{DecisionRecords, KeptDecision},
        secrets::{MissingSecret, Secrets},
    },
    store::{self, RecordsConfig, TicketsConfig},
};

use crate::parts::postgres::Postgres;

const NOW: i64 = 1_800_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

impl Secrets for Fixed {
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret> {
        match from {
            SecretRef::Env(text) => Ok(Secret::new(text.clone())),
            SecretRef::File(path) => Err(MissingSecret(path.display().to_string())),
        }
    }
}

fn decision(number: i64, at: i64) -> KeptDecision {
    KeptDecision {
        id: format!("id-{number}"),
        at: Timestamp(at),
        path: "federation/access/decision".to_owned(),
        event: format!("{{\"decision_id\":\"id-{number}\",\"note\":\"ä'\"}}"),
    }
}

async fn suite(records: Arc<dyn DecisionRecords>) {
    records.append(&[]).await.unwrap();
    let all: Vec<KeptDecision> = (1..=150).map(|number| decision(number, NOW + number)).collect();
    records.append(&all[..100]).await.unwrap();
    records.append(&all[100..]).await.unwrap();
    let page = records.since(Timestamp(NOW + 50), 0, 1000).await.unwrap();
    assert_eq!(page.len(), 101);
    assert_eq!(page[0], (50, all[49].clone()));
    let page = records.since(Timestamp(0), 148, 1).await.unwrap();
    assert_eq!(page, [(149, all[148].clone())]);
    assert_eq!(records.of("id-7").await.unwrap(), [all[6].clone()]);
    assert_eq!(records.of("id-0").await.unwrap(), []);
    // By age, and by count.
    assert_eq!(records.sweep(Timestamp(NOW + 11), 1000).await.unwrap(), 10);
    assert_eq!(records.sweep(Timestamp(0), 20).await.unwrap(), 120);
    let rest = records.since(Timestamp(0), 0, 1000).await.unwrap();
    assert_eq!((rest.len(), rest[0].0), (20, 131));
    // Writers at the same time do not take one another's numbers.
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let records = Arc::clone(&records);
            tokio::spawn(async move {
                for turn in 0..5 {
                    let one = decision(1000 + task * 10 + turn, NOW);
                    records.append(&[one.clone(), one]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let numbers: Vec<i64> = records
        .since(Timestamp(0), 150, 1000)
        .await
        .unwrap()
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, (151..=230).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_kept_by_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::shared();
    for records in [
        RecordsConfig::Sqlite {
            path: folder.path().join("fedgate.db"),
        },
        RecordsConfig::Postgres {
            url: SecretRef::Env(server.database()),
            max_connections: 8,
        },
    ] {
        let config = store::Config {
            records,
            tickets: TicketsConfig::Records {},
        };
        let opened = store::open(&config, &Fixed, Arc::new(Fixed)).await.unwrap();
        suite(Arc::clone(&opened.decisions)).await;
        opened.close().await;
    }
}
