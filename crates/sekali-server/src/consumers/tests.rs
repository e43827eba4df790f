use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;

use super::*;

const DIR: &str = "/data";
const NOW: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn disk() -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk
}

fn open(disk: &MemoryDisk) -> Result<Consumers, ConsumersFileError> {
    Consumers::open(Arc::new(disk.clone()), Path::new(DIR))
}

fn new(name: &str, maker: Option<&str>) -> NewConsumer {
    let filters = vec![("topic".to_owned(), "a\"b".to_owned()), ("topic".to_owned(), "c".to_owned())];
    let maker = maker.map(|id| serde_json::from_value(id.into()).unwrap());
    NewConsumer { name: name.to_owned(), filters, positions: vec![(0, 5), (1, 0)], maker }
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut() {
    let disk = disk();
    let consumers = open(&disk).unwrap();
    let (made, is_new) = consumers.put(new("x", Some("0a0b0c0d")), NOW).await.unwrap();
    assert!(is_new);
    consumers.put(new("gone", None), NOW).await.unwrap();
    let moved = consumers.acknowledge("x", made.created, &vec![(0, 7), (1, 1)], Timestamp(NOW.0 + 1)).await.unwrap();
    consumers.delete("gone").await.unwrap();
    let after = open(&disk.kill()).unwrap();
    assert_eq!(after.list(), [moved]);
    assert_eq!(after.get("x").unwrap().positions, [(0, 7), (1, 1)]);
    after.reset("x", vec![(0, 0), (1, 0)]).await.unwrap();
    assert_eq!(open(&disk).unwrap().get("x").unwrap().positions, [(0, 7), (1, 1)], "the disks are two");
}

#[tokio::test]
async fn acknowledgements_go_forward_only() {
    let consumers = Consumers::default();
    let (made, _) = consumers.put(new("x", None), NOW).await.unwrap();
    let ack = async |positions: &[(u32, u64)]| {
        consumers.acknowledge("x", made.created, &positions.to_vec(), NOW).await.map(|consumer| consumer.positions)
    };
    assert_eq!(ack(&[(0, 5), (1, 0)]).await.unwrap(), [(0, 5), (1, 0)], "the same again is no error");
    assert_eq!(ack(&[(0, 6), (1, 3)]).await.unwrap(), [(0, 6), (1, 3)]);
    for behind in [&[(0, 5), (1, 4)][..], &[(0, 6), (1, 2)], &[(0, 9)], &[]] {
        assert!(matches!(ack(behind).await, Err(ConsumerError::Behind)), "{behind:?}");
    }
    let other = consumers.acknowledge("x", Timestamp(0), &vec![(0, 9), (1, 9)], NOW).await;
    assert!(matches!(other, Err(ConsumerError::NotFound)));
    assert_eq!(consumers.get("x").unwrap().positions, [(0, 6), (1, 3)]);
}

#[tokio::test]
async fn one_key_cannot_make_all_consumers_there_may_be() {
    let consumers = Consumers::default();
    let mut made = 0;
    while consumers.put(new(&format!("a{made}"), Some("00000001")), NOW).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, CONSUMERS_MAX / 2);
    assert!(consumers.put(new("b", Some("00000002")), NOW).await.is_ok());
    assert!(!consumers.put(new("a0", Some("00000001")), NOW).await.unwrap().1, "what is there may be put again");
}

#[tokio::test]
async fn changes_that_wait_together_share_a_write_and_all_are_durable() {
    let disk = disk();
    let consumers = open(&disk).unwrap();
    let names: Vec<_> = (0..50).map(|number| format!("c{number}")).collect();
    let tasks: Vec<_> = names
        .iter()
        .map(|name| {
            let (consumers, new) = (consumers.clone(), new(name, None));
            tokio::spawn(async move { consumers.put(new, NOW).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut found: Vec<_> = open(&disk.kill()).unwrap().list().into_iter().map(|consumer| consumer.name).collect();
    found.sort_by_key(|name| name[1..].parse::<u32>().unwrap());
    assert_eq!(found, names);
}

#[tokio::test]
async fn every_changed_byte_of_the_file_is_noticed() {
    let disk = disk();
    open(&disk).unwrap().put(new("x", None), NOW).await.unwrap();
    let file = ConsumersFile::new(Arc::new(disk.clone()), Path::new(DIR));
    let good = file.bytes().unwrap().unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        file.put(&bad).unwrap();
        assert!(open(&disk).is_err(), "byte {at}");
        file.put(&good[..at]).unwrap();
        assert!(open(&disk).is_err(), "cut at {at}");
    }
    file.put(b"sekali consumers 2 x\n").unwrap();
    assert!(matches!(open(&disk), Err(ConsumersFileError::NewerFormat { found: 2, .. })));
    file.put(&good).unwrap();
    assert_eq!(open(&disk).unwrap().list().len(), 1);
}
