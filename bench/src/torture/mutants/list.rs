//! The mutants.

/// A way to break the program.
#[derive(Debug, Clone, Copy)]
pub(in crate::torture) struct Mutant {
    pub(super) name: &'static str,
    /// What is wrong with it, for people.
    pub(super) wrong: &'static str,
    pub(super) edits: &'static [Edit],
    /// The test that must fail.
    pub(super) caught_by: &'static str,
}

/// A piece of a source file, and what takes its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

const WRITER: &str = "crates/sekali-store/src/log/writer.rs";
const RECOVERY: &str = "crates/sekali-store/src/log/recovery.rs";
const PARTITION: &str = "crates/sekali-store/src/partition.rs";
const COMMIT: &str = "crates/sekali-store/src/partition/commit.rs";
const FRONT: &str = "crates/sekali-store/src/partition/front.rs";

/// All of them.
pub(super) const MUTANTS: [Mutant; 13] = [
    Mutant {
        name: "no_sync",
        wrong: "commits are not synced",
        edits: &[Edit {
            file: WRITER,
            from: "        self.active.file.sync().at(\"sync\", &self.active.path)?;\n",
            to: "",
        }],
        caught_by: "crash_image",
    },
    Mutant {
        name: "ack_before_sync",
        wrong: "a commit is answered, and synced before the next one",
        edits: &[Edit {
            file: WRITER,
            from: "        self.active.file.write_all_at(bytes, offset).at(\"write\", &self.active.path)?;
        self.active.file.sync().at(\"sync\", &self.active.path)?;\n",
            to: "        self.active.file.sync().at(\"sync\", &self.active.path)?;
        self.active.file.write_all_at(bytes, offset).at(\"write\", &self.active.path)?;\n",
        }],
        caught_by: "crash_image",
    },
    Mutant {
        name: "no_directory_sync",
        wrong: "the directory is not synced when a log file is begun",
        edits: &[Edit {
            file: "crates/sekali-store/src/log/dir.rs",
            from: "        self.disk.sync_dir(&self.dir).at(\"sync\", &self.dir)?;\n",
            to: "",
        }],
        caught_by: "crash_image",
    },
    Mutant {
        name: "replace_without_sync",
        wrong: "a file takes another's place without having been synced",
        edits: &[Edit {
            file: "crates/sekali-store/src/disk.rs",
            from: "file.write_all_at(bytes, 0).and_then(|()| file.sync());",
            to: "file.write_all_at(bytes, 0);",
        }],
        caught_by: "crash_image",
    },
    Mutant {
        name: "retry_sync",
        wrong: "a sync that fails is tried again",
        edits: &[Edit {
            file: WRITER,
            from: "self.active.file.sync().at(",
            to: "self.active.file.sync().or_else(|_| self.active.file.sync()).at(",
        }],
        caught_by: "fail_nth_call",
    },
    Mutant {
        name: "claim_key_early",
        wrong: "keys enter the index before their events are durable",
        edits: &[
            Edit { file: PARTITION, from: "        self.shared.index.insert(commit.draft.added.entries());\n", to: "" },
            Edit {
                file: COMMIT,
                from: "        partition.take_room(",
                to: "        partition.shared.index.insert(front.added());\n        partition.take_room(",
            },
            Edit {
                file: FRONT,
                from: "    /// Bytes of the commit so far",
                to: "    pub(super) fn added(&self) -> &[crate::ids::Entry] {
        self.draft.added.entries()
    }\n\n    /// Bytes of the commit so far",
            },
        ],
        caught_by: "what_is_refused_for_want_of_space_claims_no_key",
    },
    Mutant {
        name: "publish_before_sync",
        wrong: "readers see events before they are durable",
        edits: &[
            Edit { file: WRITER, from: "        self.active.file.sync().at(\"sync\", &self.active.path)?;\n", to: "" },
            Edit {
                file: WRITER,
                from: "    /// Where the log stands.\n",
                to: "    pub(crate) fn sync(&self) -> Result<()> {
        self.active.file.sync().at(\"sync\", &self.active.path)
    }\n\n    /// Where the log stands.\n",
            },
            Edit {
                file: PARTITION,
                from: "        self.shared.publish(log.position(), &topics);\n        Ok(())\n",
                to: "        self.shared.publish(log.position(), &topics);\n        log.sync()\n",
            },
        ],
        caught_by: "a_failed_sync_is_not_tried_again",
    },
    Mutant {
        name: "forget_what_is_being_written",
        wrong: "a commit is decided without the one that is still being written",
        edits: &[Edit { file: FRONT, from: "filter(|commit| !commit.is_known())", to: "filter(|_| false)" }],
        caught_by: "what_is_being_written_is_known_and_nobody_sees_it",
    },
    Mutant {
        name: "build_on_a_failure",
        wrong: "a commit is written although the one before, which it was decided upon, was not",
        edits: &[
            Edit { file: COMMIT, from: "        partition.check_running()?;\n", to: "" },
            // That it is not the next frame would be seen as well.
            Edit { file: WRITER, from: ".filter(|frame| self.position.continued_by(frame))", to: "" },
        ],
        caught_by: "nothing_is_written_upon_a_commit_that_failed",
    },
    Mutant {
        name: "cut_at_first_bad_frame",
        wrong: "recovery takes every bad frame for a torn tail",
        edits: &[
            Edit {
                file: RECOVERY,
                from: "            if !is_known && offset >= proved {\n",
                to: "            if is_last && has_header {\n                break;\n            }
            if !is_known && offset >= proved {\n",
            },
            Edit {
                file: RECOVERY,
                from: "    if is_last && position.next_commit >= durable.next_commit {\n",
                to: "    if is_last {\n",
            },
        ],
        caught_by: "bit_rot",
    },
    Mutant {
        name: "no_checksum",
        wrong: "the checksums of blocks are not looked at",
        edits: &[Edit {
            file: "crates/sekali-store/src/log/block.rs",
            from: "stored == Some(checksum(&bytes[..CHECKSUM_AT], block.rows, salt));",
            to: "stored.is_some();",
        }],
        caught_by: "bit_rot",
    },
    Mutant {
        name: "drop_one_in_100000",
        wrong: "of 100,000 events one is answered and not written",
        edits: &[Edit {
            file: "crates/sekali-store/src/partition/decide.rs",
            from: "            Outcome::Stored { .. } => self.add(hash, row),
            Outcome::Conflict { seq } => self.keep_evidence(row, seq)?,\n",
            to: "            Outcome::Stored { seq } if seq % 100_000 != 0 => self.add(hash, row),
            Outcome::Stored { .. } => self.draft.counts.stored -= 1,
            Outcome::Conflict { seq } => self.keep_evidence(row, seq)?,\n",
        }],
        caught_by: "not_one_of_many_events_is_missing",
    },
    Mutant {
        name: "trust_the_fingerprint",
        wrong: "an event with the fingerprint of another is taken for it without a look at the key",
        edits: &[Edit {
            file: "crates/sekali-store/src/partition/decide.rs",
            from: "            if entry.content == hash.content {\n                return Ok(Outcome::Duplicate { seq: entry.seq });\n",
            to: "            if entry.fingerprint == hash.fingerprint {\n                return Ok(Outcome::Duplicate { seq: entry.seq });\n",
        }],
        caught_by: "keys_with_one_fingerprint_are_told_apart",
    },
];
