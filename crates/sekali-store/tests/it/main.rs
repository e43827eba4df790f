//! The engine as a user of the library sees it, on disks that fail.

mod collisions;
mod crashes;
mod damage;
mod faults;
mod model;
mod scans;
mod support;
