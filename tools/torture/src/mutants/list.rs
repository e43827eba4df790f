//! The mutants.

use super::edit::{Edit, Source, edit, source};

/// A way to break the engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// The fault, for people.
    pub(crate) wrong: &'static str,
    pub(crate) edits: &'static [Edit],
    /// Name of the test that must fail.
    pub(crate) caught_by: &'static str,
}

const BLOCK: Source = source!("crates/sekali-store/src/log/block.rs");
const COMMIT: Source = source!("crates/sekali-store/src/partition/write/commit.rs");
const DECIDE: Source = source!("crates/sekali-store/src/partition/write/decide.rs");
const DAMAGE: Source = source!("crates/sekali-store/src/damage.rs");
const DISK: Source = source!("crates/sekali-store/src/disk.rs");
const LOOKUP: Source = source!("crates/sekali-store/src/partition/read/reader.rs");
const LOG_DIR: Source = source!("crates/sekali-store/src/log/dir.rs");
const LOG_OPEN: Source = source!("crates/sekali-store/src/log/open.rs");
const OPEN: Source = source!("crates/sekali-store/src/partition/open.rs");
const PLANNER: Source = source!("crates/sekali-store/src/partition/write/planner.rs");
const RECOVERY: Source = source!("crates/sekali-store/src/log/recovery.rs");
const TAKE_BACK: Source = source!("crates/sekali-store/src/partition/take_back.rs");
const WRITE_PATH: Source = source!("crates/sekali-store/src/partition/write/write_path.rs");
const WRITER: Source = source!("crates/sekali-store/src/log/writer.rs");

/// All mutants.
pub(crate) const MUTANTS: [Mutant; 20] = [
    Mutant {
        name: "no_sync",
        wrong: "commits are not synced",
        edits: &[edit(&WRITER, "        self.active.file.sync().at(\"sync\", &self.active.path)?;\n", "")],
        caught_by: "crash_image",
    },
    Mutant {
        name: "ack_before_sync",
        wrong: "a commit is answered, and synced before the next one",
        edits: &[edit(
            &WRITER,
            "        self.active.file.write_all_at(bytes, offset).at(\"write\", &self.active.path)?;
        self.active.file.sync().at(\"sync\", &self.active.path)?;\n",
            "        self.active.file.sync().at(\"sync\", &self.active.path)?;
        self.active.file.write_all_at(bytes, offset).at(\"write\", &self.active.path)?;\n",
        )],
        caught_by: "crash_image",
    },
    Mutant {
        name: "no_directory_sync",
        wrong: "the directory is not synced when a log file is begun",
        edits: &[edit(&LOG_DIR, "        self.disk.sync_dir(&self.dir).at(\"sync\", &self.dir)?;\n", "")],
        caught_by: "crash_image",
    },
    Mutant {
        name: "replace_without_sync",
        wrong: "a file takes another's place without having been synced",
        edits: &[edit(
            &DISK,
            "file.write_all_at(bytes, 0).and_then(|()| file.sync());",
            "file.write_all_at(bytes, 0);",
        )],
        caught_by: "crash_image",
    },
    Mutant {
        name: "retry_sync",
        wrong: "a sync that fails is tried again",
        edits: &[edit(
            &WRITER,
            "self.active.file.sync().at(",
            "self.active.file.sync().or_else(|_| self.active.file.sync()).at(",
        )],
        caught_by: "fail_nth_call",
    },
    Mutant {
        name: "claim_key_early",
        wrong: "keys enter the index before their events are durable",
        edits: &[
            edit(&WRITE_PATH, "        self.shared.index.insert(commit.planned.keys.entries())?;\n", ""),
            edit(
                &COMMIT,
                "        path.reserve_room(",
                "        path.shared.index.insert(planner.keys())?;\n        path.reserve_room(",
            ),
            edit(
                &PLANNER,
                "    /// Bytes of the commit so far",
                "    pub(super) fn keys(&self) -> &[crate::index::Entry] {
        self.pending.keys.entries()
    }\n\n    /// Bytes of the commit so far",
            ),
        ],
        caught_by: "what_is_refused_for_want_of_space_claims_no_key",
    },
    Mutant {
        name: "publish_before_sync",
        wrong: "readers see events before they are durable",
        edits: &[
            edit(&WRITER, "        self.active.file.sync().at(\"sync\", &self.active.path)?;\n", ""),
            edit(
                &WRITER,
                "    /// Where the log stands.\n",
                "    pub(crate) fn sync(&self) -> Result<()> {
        self.active.file.sync().at(\"sync\", &self.active.path)
    }\n\n    /// Where the log stands.\n",
            ),
            edit(
                &WRITE_PATH,
                "        self.shared.publish(log.position(), &topics)\n",
                "        self.shared.publish(log.position(), &topics)?;\n        log.sync()\n",
            ),
        ],
        caught_by: "a_failed_sync_is_not_tried_again",
    },
    Mutant {
        name: "forget_what_is_being_written",
        wrong: "a commit is decided without the one that is still being written",
        edits: &[edit(&PLANNER, "filter(|commit| !commit.is_indexed())", "filter(|_| false)")],
        caught_by: "what_is_being_written_is_known_and_nobody_sees_it",
    },
    Mutant {
        name: "build_on_a_failure",
        wrong: "a commit is written although the one before, which it was decided upon, was not",
        edits: &[
            edit(&COMMIT, "        path.check_running()?;\n", ""),
            // Otherwise planner and writer would also notice that it is not the next frame.
            edit(
                &PLANNER,
                "        invariant!(builder.first_seq() == log.position().next_seq, \"a commit was decided for another place of the log\");\n",
                "",
            ),
            edit(&WRITER, ".filter(|frame| self.position.continued_by(frame))", ""),
        ],
        caught_by: "nothing_is_written_upon_a_commit_that_failed",
    },
    Mutant {
        name: "cut_at_first_bad_frame",
        wrong: "recovery takes every bad frame for a torn tail",
        edits: &[
            edit(
                &RECOVERY,
                "            if !is_known && offset >= proved {\n",
                "            if is_last && has_header {\n                break;\n            }
            if !is_known && offset >= proved {\n",
            ),
            edit(&RECOVERY, "    if is_last && position.next_commit >= durable.next_commit {\n", "    if is_last {\n"),
        ],
        caught_by: "bit_rot",
    },
    Mutant {
        name: "no_checksum",
        wrong: "the checksums of blocks are not looked at",
        edits: &[edit(
            &BLOCK,
            "stored == Some(checksum(&bytes[..CHECKSUM_AT], block.rows, salt));",
            "stored.is_some();",
        )],
        caught_by: "bit_rot",
    },
    Mutant {
        name: "drop_one_in_100000",
        wrong: "of 100,000 events one is answered and not written",
        edits: &[edit(
            &DECIDE,
            "            Outcome::Stored { .. } => self.pending.add(hash, row, event.digest()),\n",
            "            Outcome::Stored { seq } if seq % 100_000 != 0 => self.pending.add(hash, row, event.digest()),
            Outcome::Stored { .. } => self.pending.counts.stored -= 1,\n",
        )],
        caught_by: "not_one_of_many_events_is_missing",
    },
    Mutant {
        name: "trust_the_fingerprint",
        wrong: "an event with the fingerprint of another is taken for it without a look at the key",
        edits: &[edit(
            &DECIDE,
            "            if entry.content == hash.content {\n                return Ok(Outcome::Duplicate { seq: entry.seq });\n",
            "            if entry.fingerprint == hash.fingerprint {\n                return Ok(Outcome::Duplicate { seq: entry.seq });\n",
        )],
        caught_by: "keys_with_one_fingerprint_are_told_apart",
    },
    Mutant {
        name: "keep_evidence_unseen",
        wrong: "evidence is kept by what was known when its event was compared",
        edits: &[edit(
            &DECIDE,
            "0 => self.find_evidence(hash, self.hits.of(self.evidence_position + place)?),",
            "0 => self.find_evidence(hash, self.hits.of(self.evidence_position + place)?.get(..0).unwrap_or_default()),",
        )],
        caught_by: "evidence_that_two_requests_found_at_once_is_kept_once",
    },
    Mutant {
        name: "ask_the_files",
        wrong: "an event counts as expired only once its file is gone",
        edits: &[edit(&DECIDE, "        if self.retention.ages.is_empty() {\n", "        if !row.is_empty() {\n")],
        caught_by: "one_history_has_one_answer_whether_or_not_its_files_have_expired",
    },
    Mutant {
        name: "forget_the_mark",
        wrong: "recovery believes the manifest alone about how far the log was durable",
        edits: &[edit(&OPEN, ".chain(mark.read())", "")],
        caught_by: "commits_that_were_marked_under_load_are_no_torn_tail_when_they_are_gone",
    },
    Mutant {
        name: "find_what_is_due",
        wrong: "an event is found by its id although it is past its age",
        edits: &[edit(&LOOKUP, ".filter(|(_, entry)| entry.seq >= first_seq)", "")],
        caught_by: "what_is_due_is_in_no_read_although_its_file_is_still_there",
    },
    Mutant {
        name: "take_back_what_was_sent_again",
        wrong: "lost events that are back are shown although one was published again",
        edits: &[edit(&TAKE_BACK, "stored_again = Some((entry.seq, other.seq));", "")],
        caught_by: "no_event_is_there_twice_when_it_was_published_again_while_its_file_was_away",
    },
    Mutant {
        name: "remove_what_came_back_late",
        wrong: "a log file that was away is removed as one that has been sealed",
        edits: &[edit(&LOG_OPEN, "was_away || replay.damaged", "replay.damaged")],
        caught_by: "a_log_file_that_was_away_while_the_log_was_sealed_past_it_is_kept",
    },
    Mutant {
        name: "accept_what_was_not_shown",
        wrong: "damage that was found after the check is accepted with it",
        edits: &[edit(
            &DAMAGE,
            ".partition(|damage| shown.contains(damage))",
            ".partition(|_| shown.len() < usize::MAX)",
        )],
        caught_by: "only_damage_that_was_shown_is_accepted",
    },
];
