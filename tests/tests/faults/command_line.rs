//! The command line, while the catalog or the network is not as it should be.

use std::{
    process::{Child, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use cofferdam_tests::wait_until;

use crate::{catalog::Shell, link::Link, world::World};

#[track_caller]
fn end_of(child: &mut Child) -> ExitStatus {
    let status = xtask::process::wait_at_most(child, Duration::from_mins(1)).expect("waited");
    status.unwrap_or_else(|| {
        child.kill().expect("killed");
        panic!("it goes on")
    })
}

#[test]
fn a_command_that_waits_its_turn_outlives_a_catalog_locked_for_longer_than_it_waits() {
    let world = World::new();
    let first = world.begin_and_hold();
    let create = || {
        let mut create = world.console.cli();
        create.args(["backup", "create", "shop"]).stdout(Stdio::null()).stderr(Stdio::null());
        create.spawn().expect("it starts")
    };
    let mut child = create();
    wait_until("its record", Duration::from_secs(10), || {
        (world.backups().len() == 2).then_some(())
    });
    let shell = Shell::lock(&world);
    // Longer than a change waits for another program.
    thread::sleep(Duration::from_secs(13));
    drop(shell);
    world.link.release();
    assert!(end_of(&mut child).success());
    assert_eq!(world.end_of(&first)["status"], "completed");
    for backup in world.backups() {
        assert_eq!(backup["status"], "completed", "{backup}");
    }
}

#[test]
fn a_command_from_afar_outlives_a_network_that_is_gone_for_some_seconds() {
    let world = World::new();
    let port = world.console.url().rsplit_once(':').expect("a port").1.parse().expect("a number");
    let between = Link::to(port);
    // Its dump stands still after the first bytes.
    world.link.hold_after(1 << 20);
    let mut create = world.console.cli();
    create
        .args(["backup", "create", "shop", "--json"])
        .env("COFFERDAM_SERVER", format!("http://127.0.0.1:{}", between.port()))
        .env("COFFERDAM_TOKEN", world.api.token().expect("a token"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = create.spawn().expect("it starts");
    wait_until("its run", Duration::from_secs(20), || {
        world.backups().iter().any(|it| it["status"] == "running").then_some(())
    });
    between.refuse(true);
    between.reset();
    thread::sleep(Duration::from_secs(3));
    between.refuse(false);
    world.link.release();
    assert!(end_of(&mut child).success());
}
