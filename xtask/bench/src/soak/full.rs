//! The disk is full: on a file system of its own that holds a few hundred MiB and a ballast. Senders are told to try again;
//! when the ballast is gone everything goes on, and nothing acknowledged is missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;

use super::check;
use super::sender::Senders;
use crate::load::apply_slos;
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

/// The file system, MiB. A fresh cluster takes about 60.
const SIZE_MIB: usize = 320;
/// What is given back later.
const BALLAST_MIB: usize = 120;
/// Longest wait for the disk to be full, and for the first acknowledgement after room was made.
const LIMIT: Duration = Duration::from_mins(4);

pub(super) async fn run(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    let Some(disk) = Disk::mount(folder)? else {
        say("the disk is not filled: making a file system of its own takes root");
        return Ok(());
    };
    say("filling the disk");
    let server = Server::start(product, &disk.0, "full", false, &[]).await?;
    apply_slos(&server, &Client::builder().no_proxy().build()?).await?;
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST_MIB << 20]).context("the ballast")?;
    let senders = Senders::start(&[server.traces_url()], 4)?;
    let begun = Instant::now();
    let mut last = (senders.acknowledged(), Instant::now());
    // Full when for three seconds nothing was acknowledged and senders were told to try again.
    let retries = senders.retries();
    while last.1.elapsed() < Duration::from_secs(3) || senders.retries() == retries {
        ensure!(begun.elapsed() < LIMIT, "the disk did not fill");
        tokio::time::sleep(Duration::from_millis(100)).await;
        if senders.acknowledged() > last.0 {
            last = (senders.acknowledged(), Instant::now());
        }
    }
    say("the disk is full; making room");
    std::fs::remove_file(&ballast)?;
    let (before, begun) = (senders.acknowledged(), Instant::now());
    while senders.acknowledged() < before + 5 {
        ensure!(begun.elapsed() < LIMIT, "with room on the disk nothing is acknowledged again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sent = senders.end().await?;
    check(&server, &sent, "a full disk", report).await?;
    drop(server);
    Ok(())
}

/// A mounted file system, unmounted in the end.
struct Disk(PathBuf);

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
