//! The disk is full: on a file system of its own that holds a few hundred MiB and a ballast. Senders are told to try again;
//! when the ballast is gone everything goes on, and nothing acknowledged is missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::check::check;
use super::door::{Doors, Signal};
use super::later::Running;
use super::sender::Senders;
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

/// The file system, MiB. A fresh cluster takes about 60.
const SIZE_MIB: usize = 320;
/// What is given back later.
const BALLAST_MIB: usize = 120;
/// Longest wait for the disk to be full, and for the first acknowledgement after room was made.
const LIMIT: Duration = Duration::from_mins(4);

pub(super) async fn run(product: &Product, folder: &Path, report: &mut Report) -> Result<Option<Running>> {
    let Some(disk) = Disk::mount(folder)? else {
        say("the disk is not filled: making a file system of its own takes root");
        return Ok(None);
    };
    say("filling the disk");
    let server = Server::start(product, &disk.0, "full", false, &[]).await?;
    super::prepare(&server).await?;
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST_MIB << 20]).context("the ballast")?;
    let mut senders = Senders::start(&[Doors::of(&server)])?;
    let begun = Instant::now();
    let mut last = (senders.acknowledged(Signal::Spans), Instant::now());
    // Full when for three seconds no spans were acknowledged and their senders were told to try again. A heartbeat may still find
    // its place: it takes no more than the row it changes.
    let retries = senders.retries(Signal::Spans);
    while last.1.elapsed() < Duration::from_secs(3) || senders.retries(Signal::Spans) == retries {
        ensure!(begun.elapsed() < LIMIT, "the disk did not fill");
        tokio::time::sleep(Duration::from_millis(100)).await;
        if senders.acknowledged(Signal::Spans) > last.0 {
            last = (senders.acknowledged(Signal::Spans), Instant::now());
        }
    }
    say("the disk is full; making room");
    std::fs::remove_file(&ballast)?;
    tokio::time::timeout(LIMIT, senders.wait_for(5)).await.context("with room on the disk a signal is not acknowledged again")??;
    let sent = senders.end().await?;
    let later = check(&server, &server.data, &sent, "a full disk", report).await?;
    Ok(Some(Running { servers: vec![server], disk: Some(disk), later }))
}

/// A mounted file system, unmounted in the end.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// `None` without the right to mount.
    fn mount(folder: &Path) -> Result<Option<Self>> {
        let place = folder.join("disk");
        std::fs::create_dir_all(&place)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={SIZE_MIB}m,mode=0755"), "slowburn-soak"])
            .arg(&place)
            .output()?;
        Ok(mounted.status.success().then_some(Self(place)))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
