//! Outcomes, delivered on the runtimes of the tasks that wait for them.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Answer;
use crate::clients::Room;

/// A task that waits for an outcome.
#[derive(Debug)]
pub(super) struct Waiter {
    answer: oneshot::Sender<Answer>,
    /// The runtime of the task.
    runtime: Option<Handle>,
    room: Room,
}

impl Waiter {
    /// The running task, with the room of its batch; and the receiver of its outcome.
    pub(super) fn here(room: Room) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        (Self { answer, runtime: Handle::try_current().ok(), room }, receiver)
    }

    fn tell(self, answer: Answer) {
        // Room first: a client that has its answer may send again at once.
        drop(self.room);
        // An error here is a client that has gone away; its events are stored all the same.
        let _ = self.answer.send(answer);
    }
}

/// Delivers every outcome.
///
/// Waking a task from outside its runtime costs a lock and often a system call; from within, next
/// to nothing. So the tasks of one runtime are woken by one task on it.
pub(super) fn tell(answered: Vec<(Waiter, Answer)>) {
    let mut groups: Vec<(Handle, Vec<(Waiter, Answer)>)> = Vec::new();
    for (mut waiter, answer) in answered {
        let Some(runtime) = waiter.runtime.take() else {
            waiter.tell(answer);
            continue;
        };
        match groups.iter_mut().find(|(known, _)| known.id() == runtime.id()) {
            Some((_, group)) => group.push((waiter, answer)),
            None => groups.push((runtime, vec![(waiter, answer)])),
        }
    }
    for (runtime, group) in groups {
        let is_one = group.len() == 1;
        let tell_all = || group.into_iter().for_each(|(waiter, answer)| waiter.tell(answer));
        if is_one {
            tell_all();
        } else {
            runtime.spawn(async { tell_all() });
        }
    }
}
