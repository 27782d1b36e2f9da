//! Clients that read an interval log as it is made.

use super::{World, intervals, microseconds};
use crate::telemetry::kinds::Outcome;
use crate::telemetry::latency::{FOLLOWERS_MAX, Followers};
use crate::telemetry::stretch::RequestTimes;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

/// A world whose intervals are seconds, and a follower of them.
struct Followed {
    world: World,
    followers: Followers,
    lines: Receiver<String>,
    second: u64,
}

impl Followed {
    fn new(follow: &str) -> Followed {
        let (world, mut followers) = (World::new(), Followers::default());
        let query = format!("by=&follow={follow}");
        let mut lines = followers.add(&world.collected, &query).unwrap().unwrap();
        let header = lines.try_recv().unwrap();
        assert!(header.ends_with("\"Interval_Compressed_Histogram\"\n"), "{header}");
        Followed { world, followers, lines, second: 0 }
    }

    /// A second in which one request took as many microseconds as seconds have passed.
    fn tick(&mut self) {
        self.second += 1;
        let total_ns = self.second * 1_000;
        let times = RequestTimes { total_ns, ..RequestTimes::default() };
        self.world.shards[0].request(0, Outcome::Answered, &times);
        self.world.collect();
        let now_ns = self.world.collected.start_ns() + self.second * 1_000_000_000;
        self.world.collected.close_interval(now_ns);
        self.followers.interval_ended(&self.world.collected);
    }

    #[track_caller]
    fn check(&mut self, expected: std::ops::RangeInclusive<u64>) {
        let text = self.lines.try_recv().unwrap();
        assert_eq!(intervals(&text), [(None, microseconds(expected))], "{text}");
    }
}

#[test]
fn followers_get_each_interval_once() {
    let mut every_second = Followed::new("1s");
    let mut every_third = Followed::new("3s");
    for second in 1..=40 {
        every_second.tick();
        every_second.check(second..=second);
        every_third.tick();
        match second % 3 {
            0 => every_third.check(second - 2..=second),
            _ => assert!(every_third.lines.try_recv().is_err()),
        }
    }
}

#[test]
fn a_follower_that_reads_slowly_gets_merged_intervals() {
    let mut followed = Followed::new("1s");
    (0..7).for_each(|_| followed.tick());
    followed.check(1..=1);
    followed.check(2..=2);
    followed.tick();
    followed.check(3..=8);
    (0..30).for_each(|_| followed.tick());
    followed.check(9..=9);
    followed.check(10..=10);
    assert_eq!(followed.lines.try_recv(), Err(TryRecvError::Disconnected), "too slow");
}

#[test]
fn followers_are_bounded() {
    let (world, mut followers) = (World::new(), Followers::default());
    let mut add = || followers.add(&world.collected, "follow=1s");
    let mut following: Vec<_> = (0..FOLLOWERS_MAX).map(|_| add().unwrap().unwrap()).collect();
    assert!(add().is_err());
    following.pop();
    assert!(add().is_ok());
}
