//! `keys.toml`: the keys of a store, in its data directory.
//!
//! ```toml
//! format = 1
//!
//! [[key]]
//! id = "5f0c91d2"
//! name = "web servers"
//! scopes = ["publish"]
//! topics = ["web.*"]
//! created = "2025-10-24T21:00:00Z"
//! expires = "2026-10-24T21:00:00Z"   # perhaps
//! revoked = "2025-11-01T08:00:00Z"   # perhaps
//! sha256 = "64 hex digits: the hash of the whole key"
//! ```
//!
//! The file holds hashes only, and is readable by its owner alone. It is replaced as a whole:
//! written under another name, synced, renamed. A writer locks the directory meanwhile, so that two
//! concurrent changes are both kept. A file without any key is damaged.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sekali_store::disk::{Disk as _, RealDisk};
use serde::{Deserialize, Serialize};

use super::key_dir::KeyDir;
use super::{Exposure, Key, Keys, KeysError};
use crate::limits::{KEYS_FILE_BYTES_MAX, KEYS_MAX};

const FILE_NAME: &str = "keys.toml";
const FORMAT_VERSION: u32 = 1;

/// The file with the keys of the store in a data directory.
#[derive(Debug, Clone)]
pub struct KeyFile {
    dir: PathBuf,
    path: PathBuf,
}

/// Tells one version of the file from the next, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    len: u64,
    /// Change time (ctime), in seconds and nanoseconds. No program can set it.
    changed: (i64, i64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    format: u32,
    key: Vec<Key>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl KeyFile {
    /// The key file of the store in `dir`, which may not exist yet.
    pub fn of(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), path: dir.join(FILE_NAME) }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the keys. `None` where there is no such file, and so no keys.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read(&self) -> Result<Option<Keys>, KeysError> {
        self.read_from(File::open(&self.path))
    }

    fn read_from(&self, opened: io::Result<File>) -> Result<Option<Keys>, KeysError> {
        let io = |source| self.io("read", source);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        let len = file.metadata().map_err(io)?.len();
        if len > KEYS_FILE_BYTES_MAX {
            return Err(self.damaged(format!("it has {len} bytes; at most {KEYS_FILE_BYTES_MAX} are allowed")));
        }
        let mut bytes = Vec::new();
        file.take(KEYS_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| self.damaged("it is not UTF-8".to_owned()))?;
        self.decode(text).map(Some)
    }

    /// File modes that open it to other users. `None` where there are none, or no file.
    pub fn exposure(&self) -> Option<Exposure> {
        fs::metadata(&self.path).ok().and_then(|metadata| Exposure::of(&self.path, &metadata))
    }

    /// Changes the keys, and creates directory and file where there are none. The change is durable
    /// when this returns.
    ///
    /// # Errors
    /// Those of [`KeyFile::read`], those of `change`, and I/O errors; then the file is as it was.
    pub fn change<T>(&self, change: impl FnOnce(&mut Keys) -> Result<T, KeysError>) -> Result<T, KeysError> {
        let at_dir = |action| move |source| KeysError::Io { action, path: self.dir.clone(), source };
        RealDisk.create_dir_all(&self.dir).map_err(at_dir("create"))?;
        // Others who change it wait here. The server holds another lock, and never changes it.
        let dir = KeyDir::open(&self.dir).map_err(at_dir("open"))?;
        dir.lock().map_err(at_dir("lock"))?;
        let mut keys = self.read_from(dir.open_file(FILE_NAME))?.unwrap_or_default();
        let answer = change(&mut keys)?;
        let text = encode(&keys).map_err(|error| self.damaged(error.to_string()))?;
        dir.replace(FILE_NAME, text.as_bytes()).map_err(|source| self.io("write", source))?;
        Ok(answer)
    }

    /// Identity and change time of the file. `None` where there is no such file.
    pub(super) fn stamp(&self) -> io::Result<Option<Stamp>> {
        Stamp::of_path(&self.path)
    }

    fn decode(&self, text: &str) -> Result<Keys, KeysError> {
        let damaged = |error: toml::de::Error| self.damaged(error.message().to_owned());
        // The version first: a newer file may have fields that this program does not know.
        let FormatOnly { format } = toml::from_str(text).map_err(damaged)?;
        if format > FORMAT_VERSION {
            return Err(KeysError::NewerFormat { path: self.path.clone(), found: format, known: FORMAT_VERSION });
        }
        if format != FORMAT_VERSION {
            return Err(self.damaged(format!("format is {format} and must be {FORMAT_VERSION}")));
        }
        let Contents { key: keys, .. } = toml::from_str(text).map_err(damaged)?;
        let is_repeated = |(at, key): (usize, &Key)| keys.iter().skip(at + 1).any(|other| other.id == key.id);
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(self.damaged(format!("it has {} keys and must have from 1 to {KEYS_MAX}", keys.len())));
        }
        if keys.iter().enumerate().any(is_repeated) {
            return Err(self.damaged("two keys have the same id".to_owned()));
        }
        if keys.iter().any(|key| key.scopes.is_empty() || key.topics.patterns().next().is_none()) {
            return Err(self.damaged("a key has no scopes or no topics".to_owned()));
        }
        Ok(keys.into_iter().collect())
    }

    fn io(&self, action: &'static str, source: io::Error) -> KeysError {
        KeysError::Io { action, path: self.path.clone(), source }
    }

    fn damaged(&self, what: String) -> KeysError {
        KeysError::Damaged { path: self.path.clone(), what }
    }
}

impl Stamp {
    /// That of a file. `None` where there is no such file.
    pub(super) fn of_path(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            metadata => metadata.map(|metadata| Some(Self::of(&metadata))),
        }
    }

    fn of(metadata: &fs::Metadata) -> Self {
        Self { inode: metadata.ino(), len: metadata.len(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
    }
}

fn encode(keys: &Keys) -> Result<String, toml::ser::Error> {
    toml::to_string(&Contents { format: FORMAT_VERSION, key: keys.iter().cloned().collect() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::access::{NewKey, Scope, Topics};

    use sekali_wire::timestamp::Timestamp;

    const NOW: Timestamp = Timestamp(1_700_000_000_123_456_789);

    fn new(name: &str) -> NewKey {
        let expires = Some(Timestamp(NOW.0 + 1_000_000_000));
        NewKey { name: name.to_owned(), scopes: vec![Scope::Publish, Scope::Read], topics: Topics::all(), expires }
    }

    #[test]
    fn keys_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::of(&dir.path().join("data"));
        assert_eq!(file.read().unwrap(), None);
        let (secret, first) = file.change(|keys| keys.create(new("a \"b\"\n[[key]]\u{202e}"), NOW)).unwrap();
        let second = file.change(|keys| keys.create(new(""), NOW)).unwrap().1;
        let revoked = file.change(|keys| keys.revoke(&second.id, NOW)).unwrap();
        let read = file.read().unwrap().unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [&*first, &*revoked]);
        assert!(read.admit(secret.expose(), NOW).is_ok());
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains(secret.expose().rsplit_once('_').unwrap().1), "the secret is in the file");
    }

    #[test]
    fn only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::of(&dir.path().join("data"));
        file.change(|keys| keys.create(new("a"), NOW)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&dir.path().join("data")), mode(file.path())), (0o700, 0o600));
    }

    #[test]
    fn a_file_that_others_get_at_is_told_and_the_next_change_closes_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::of(dir.path());
        assert_eq!(file.exposure(), None);
        file.change(|keys| keys.create(new("a"), NOW)).unwrap();
        assert_eq!(file.exposure(), None);
        for (mode, can) in [(0o640, "can read"), (0o604, "can read"), (0o620, "can change"), (0o666, "can change")] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let told = file.exposure().unwrap().to_string();
            assert!(told.contains(can) && told.contains(&format!("mode {mode:04o}")), "{told}");
            assert!(told.ends_with(&format!("`chmod 600 {}`", file.path().display())), "{told}");
        }
        file.change(|keys| keys.create(new("b"), NOW)).unwrap();
        assert_eq!(file.exposure(), None);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_never_one_without_keys() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::of(dir.path());
        file.change(|keys| keys.create(new("a"), NOW)).unwrap();
        let good = fs::read_to_string(file.path()).unwrap();
        let (head, key) = good.split_once("[[key]]").unwrap();
        let twice = format!("{good}\n[[key]]{key}");
        for text in [
            "",
            "\n",
            "format = 1\n",
            "format = 1\nkey = []\n",
            "nonsense",
            &good[..good.len() / 2],
            &good.replace("sha256", "sha512"),
            &good.replace("publish", "publsh"),
            &good.replace("created = ", "created = 5 #"),
            &good.replace("[\"publish\", \"read\"]", "[]"),
            &good.replace("[\"*\"]", "[]"),
            &good.replace("format = 1", "format = 0 #"),
            &format!("{head}more = 1\n[[key]]{key}"),
            &twice,
        ] {
            fs::write(file.path(), text).unwrap();
            assert!(matches!(file.read(), Err(KeysError::Damaged { .. })), "{text}");
            assert!(file.change(|keys| keys.create(new("b"), NOW)).is_err(), "a damaged file is not written over");
            assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
        }
        fs::write(file.path(), [0xFF; 100]).unwrap();
        assert!(matches!(file.read(), Err(KeysError::Damaged { .. })));
        fs::write(file.path(), "format = 2\nkeys = 'new'").unwrap();
        assert!(matches!(file.read(), Err(KeysError::NewerFormat { found: 2, known: 1, .. })));
        fs::remove_file(file.path()).unwrap();
        fs::create_dir(file.path()).unwrap();
        assert!(matches!(file.read(), Err(KeysError::Io { .. })));
    }

    #[test]
    fn of_changes_at_the_same_time_none_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::of(dir.path());
        let create = |number: usize| file.change(|keys| keys.create(new(&number.to_string()), NOW)).unwrap();
        std::thread::scope(|scope| (0..16).for_each(|number| drop(scope.spawn(move || create(number)))));
        let keys = file.read().unwrap().unwrap();
        let mut names: Vec<usize> = keys.iter().map(|key| key.name.parse().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, (0..16).collect::<Vec<_>>());
    }
}
