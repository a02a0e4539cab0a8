//! People and databases: secrets come by standard input, never by arguments.

use cofferdam_tests::TestCluster;

use crate::shell::Shell;

const PASSWORD: &str = "seven tall green windows";

#[test]
fn people_are_added_listed_and_given_passwords() {
    let shell = Shell::new();
    let add = |name, role| {
        shell.run_with(
            &["user", "add", name, "--role", role, "--password-stdin"],
            &format!("{PASSWORD}\n"),
        )
    };
    let told = add("Anna", "operator").expect(0);
    assert_eq!(told.out, "anna was added as operator.\n");
    let json = shell
        .run_with(&["user", "add", "bert", "--json", "--password-stdin"], &format!("{PASSWORD}\n"))
        .expect(0)
        .json();
    assert_eq!((&json["name"], &json["role"]), (&"bert".into(), &"administrator".into()));
    add("anna", "viewer").expect(2).says("taken");
    add("a b", "viewer").expect(2).says("user name");
    add("carl", "king").expect(2).says("role");
    for (password, said) in [
        ("short", "12 characters"),
        ("passwordpassword", "easy to guess"),
        ("carl-is-here-again", "user name"),
    ] {
        shell.run_with(&["user", "add", "carl", "--password-stdin"], password).expect(2).says(said);
    }
    shell.run(&["user", "add", "x1", "--role", "boss"]).expect(2).says("role");
    shell.run(&["user", "add", "carl"]).expect(1).says("HINT: --password-stdin");
    shell
        .run_with(&["user", "passwd", "anna", "--password-stdin"], "another long password\n")
        .expect(0);
    shell
        .run_with(&["user", "passwd", "zoe", "--password-stdin"], "another long password\n")
        .expect(1)
        .says("no such user");
    let list = shell.run(&["user", "list", "--json"]).expect(0).json();
    let names: Vec<_> = list["users"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| (it["name"].clone(), it["role"].clone()))
        .collect();
    assert_eq!(
        names,
        [("anna".into(), "operator".into()), ("bert".into(), "administrator".into())]
    );
    assert!(!shell.run(&["user", "list", "--json"]).out.contains("argon2"));
}

#[test]
fn a_password_in_an_argument_is_refused_with_advice() {
    let shell = Shell::new();
    let told = shell.run(&["database", "add", "postgres://u:canary@h/d"]).expect(1);
    told.says("every process on this machine can see").says("HINT:").says("--url-stdin");
    assert!(!told.err.contains("canary"), "{}", told.err);
    assert!(!shell.run(&["database", "list"]).out.contains(" on h:"));
    let told = shell.run(&["database", "add", "mysql://u:canary@h/d"]);
    assert!(told.code != 0 && !told.err.contains("canary"), "{}", told.err);
    let added = shell
        .run_with(&["database", "add", "--url-stdin"], "postgres://u:canary@h/shop\n")
        .expect(0);
    assert!(
        added.out.starts_with("shop was added") && !added.out.contains("canary"),
        "{}",
        added.out
    );
    let added = shell
        .run_with(
            &["database", "add", "postgres://u@h/till", "--password-stdin", "--json"],
            "canary\n",
        )
        .expect(0);
    assert_eq!(added.json()["connection"]["has_password"], true);
    assert!(!added.out.contains("canary"));
    let list = shell.run(&["database", "list", "--json"]).expect(0);
    assert!(!list.out.contains("canary"));
}

#[test]
fn databases_are_added_checked_and_removed() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 20);
    let shell = Shell::new();
    let url = format!("postgres://postgres@127.0.0.1:{}/shop", cluster.port());
    let password = format!("{}\n", cluster.password());
    shell.run_with(&["database", "add", &url, "--password-stdin"], &password).expect(0);
    let good = shell.run(&["database", "check", "shop"]).expect(0);
    assert!(good.out.contains("A backup would work."), "{}", good.out);
    assert_eq!(shell.run(&["database", "check", "shop", "--json"]).expect(0).json()["ok"], true);
    cluster.psql("shop", "CREATE ROLE weak LOGIN PASSWORD 'weak';");
    let url = format!("postgres://weak@127.0.0.1:{}/shop", cluster.port());
    shell
        .run_with(&["database", "add", &url, "--name", "weak", "--password-stdin"], "weak\n")
        .expect(0);
    let bad = shell.run(&["database", "check", "weak"]).expect(1);
    bad.says("a backup of weak would fail now");
    assert!(bad.out.contains("! ") && bad.out.contains("HINT:"), "{}", bad.out);
    assert_eq!(shell.run(&["database", "check", "weak", "--json"]).expect(1).json()["ok"], false);
    shell.run(&["database", "remove", "weak"]).expect(1).says("--yes");
    shell.run(&["database", "remove", "weak", "--yes"]).expect(0);
    assert_eq!(
        shell.run(&["database", "remove", "shop", "--yes", "--json"]).expect(0).json()["removed"],
        "shop"
    );
    assert!(!shell.run(&["database", "list"]).out.contains("shop"));
}
