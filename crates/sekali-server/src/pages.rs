//! The pages in the binary: one shell of HTML for each, and the files that they load.
//!
//! All of it is compiled in and made ready once. The path of a file names the version of them all,
//! a hash of their content, so that browsers keep it for ever. No part of a page comes from a
//! request: pages hold no data, and ask the API for it. This room knows no HTTP.

mod files;

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use files::{FILES, SHELL};

/// A page: one entry of the menu, or the page of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Overview,
    Explore,
    Event,
    Integrity,
    Sql,
    Docs,
}

/// A file as it is sent.
#[derive(Debug)]
pub(crate) struct PageFile {
    /// Media type with its charset.
    pub(crate) media: &'static str,
    pub(crate) plain: Bytes,
    /// The same as gzip.
    pub(crate) gzip: Bytes,
    /// A name of this content, in quotes, as `ETag` has it.
    pub(crate) tag: String,
}

/// Everything, ready to be sent.
struct Ready {
    version: String,
    pages: Vec<(Page, PageFile)>,
    files: Vec<(&'static str, PageFile)>,
}

static READY: LazyLock<Ready> = LazyLock::new(Ready::new);

/// The digits of a version: enough to tell any two builds apart.
const VERSION_BYTES: usize = 8;

impl Page {
    const ALL: [Self; 6] = [Self::Overview, Self::Explore, Self::Event, Self::Integrity, Self::Sql, Self::Docs];

    /// The name of its script, and of its entry in the menu.
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Explore => "explore",
            Self::Event => "event",
            Self::Integrity => "integrity",
            Self::Sql => "sql",
            Self::Docs => "docs",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Overview => "Sekali",
            Self::Explore => "Explore · Sekali",
            Self::Event => "Event · Sekali",
            Self::Integrity => "Integrity · Sekali",
            Self::Sql => "SQL · Sekali",
            Self::Docs => "API · Sekali",
        }
    }

    /// Its HTML. `None` does not happen: every page is made.
    pub(crate) fn file(self) -> Option<&'static PageFile> {
        READY.pages.iter().find(|(page, _)| *page == self).map(|(_, file)| file)
    }

    /// The shell with the title and the script of this page.
    fn html(self, version: &str) -> String {
        let current = format!("data-menu=\"{}\"", self.name());
        SHELL
            .replace("{title}", self.title())
            .replace("{page}", self.name())
            .replace("{version}", version)
            .replace(&current, &format!("{current} aria-current=\"page\""))
    }
}

/// The file `name` of the pages of this `version`.
pub(crate) fn asset(version: &str, name: &str) -> Option<&'static PageFile> {
    let ready = &*READY;
    let found = ready.files.iter().find(|(known, _)| *known == name).map(|(_, file)| file);
    found.filter(|_| ready.version == version)
}

impl Ready {
    fn new() -> Self {
        let mut all = Sha256::new();
        for (name, content) in FILES {
            all.update(name.as_bytes());
            all.update(content);
        }
        let version = hex(&all.finalize());
        let files =
            FILES.iter().map(|(name, content)| (*name, PageFile::new(media(name), Bytes::from_static(content))));
        let page = |page: Page| (page, PageFile::new(media(".html"), page.html(&version).into()));
        Self { pages: Page::ALL.map(page).into(), files: files.collect(), version }
    }
}

impl PageFile {
    /// Makes a file ready.
    pub(crate) fn new(media: &'static str, plain: Bytes) -> Self {
        let tag = format!("\"{}\"", hex(&Sha256::digest(&plain)));
        let gzip = gzip(&plain).map_or_else(|_| plain.clone(), Bytes::from);
        Self { media, plain, gzip, tag }
    }
}

/// Compresses in memory, which does not fail.
fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(VERSION_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn media(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Bytes that all pages together may have on the way, of the 150 KB that they must stay below.
    const GZIP_BYTES_MAX: usize = 110_000;

    #[test]
    fn everything_together_is_small() {
        let files = READY.files.iter().map(|(_, file)| file.gzip.len()).sum::<usize>();
        let pages = READY.pages.iter().map(|(_, file)| file.gzip.len()).sum::<usize>();
        assert!(files + pages < GZIP_BYTES_MAX, "{files} + {pages}");
    }

    #[test]
    fn the_compressed_form_is_the_same() {
        let files = READY.files.iter().map(|(_, file)| file).chain(READY.pages.iter().map(|(_, file)| file));
        for file in files {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*file.gzip).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, file.plain);
        }
    }

    #[test]
    fn pages_name_files_that_exist_and_nothing_of_elsewhere() {
        for (page, file) in &READY.pages {
            let html = std::str::from_utf8(&file.plain).unwrap();
            assert!(!html.contains('{'), "{page:?} has a place that was not filled in");
            assert_eq!(html.matches("aria-current").count(), usize::from(*page != Page::Event), "{page:?}");
            let named = html.split("/assets/").skip(1).map(|rest| rest.split('"').next().unwrap());
            let mut count = 0;
            for (version, name) in named.map(|path| path.split_once('/').unwrap()) {
                assert!(asset(version, name).is_some(), "{page:?} names {name}");
                count += 1;
            }
            assert!(count >= 3, "{page:?}");
            assert!(!html.contains("://") && !html.contains("style=") && !html.contains("<script>"), "{page:?}");
        }
    }

    #[test]
    fn scripts_import_files_that_exist() {
        for (name, content) in FILES.iter().filter(|(name, _)| name.ends_with(".js") && !name.contains(".min.")) {
            let text = std::str::from_utf8(content).unwrap();
            for rest in text.split("from \"").skip(1) {
                let imported = rest.split('"').next().unwrap();
                let known =
                    imported.strip_prefix("./").is_some_and(|file| FILES.iter().any(|(known, _)| *known == file));
                assert!(known, "{name} imports {imported}");
            }
        }
    }

    #[test]
    fn the_vendored_files_are_those_that_were_published() {
        let digest = |name: &str| {
            let (_, content) = FILES.iter().find(|(known, _)| *known == name).unwrap();
            Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let origin = include_str!("../assets/vendor/ORIGIN.md");
        for name in ["uplot.min.js", "uplot.min.css"] {
            assert!(origin.contains(&digest(name)), "{name} is {}", digest(name));
        }
    }

    #[test]
    fn a_file_of_another_version_is_not_known() {
        assert!(asset(&READY.version, "app.css").is_some());
        assert!(asset("0000000000000000", "app.css").is_none());
        assert!(asset(&READY.version, "../pages.rs").is_none());
    }
}
