//! The image: what `docker/Dockerfile` says, and that a program linked as it says runs where there is nothing else.

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::{path, read};
use crate::store::writing::end;
use crate::support::address::Address;
use crate::support::client::Client;
use crate::support::keeper::Keeper;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::{Cluster, clients};
use crate::support::tool::Tool;

/// Whoever runs in the image.
const USER: &str = "65532:65532";

/// Mounts a directory read-only over itself, gives it devices as every container has them, and becomes a program in it, as
/// the image's user where we may choose.
const INSIDE: &str = r#"
    mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount --rbind /dev "$1/dev" || exit
    if [ "$2" = 0 ]; then set -- --userspec="$3" "$@"; else set -- "" "$@"; fi
    user=$1 root=$2; shift 4
    exec chroot $user "$root" /usr/bin/pgvitals "$@"
"#;

/// The program, linked as the Dockerfile has it linked.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let features: Vec<_> =
        [("fault-injection", cfg!(feature = "fault-injection")), ("all-clients", cfg!(feature = "all-clients"))]
            .into_iter()
            .filter_map(|(name, is_on)| is_on.then_some(name))
            .collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--quiet", "--offline", "--locked", "--example", "static"]);
    cargo.args(["--features", &features.join(","), "--", "-C", "target-feature=+crt-static"]);
    let output = cargo.current_dir(path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Path::new(env!("CARGO_BIN_EXE_pgvitals")).with_file_name("examples").join("static")
});

/// Who runs the tests.
fn uid() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// A directory that holds the program and what is said, and nothing else.
struct Root(TempDir);

impl Root {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["usr/bin", "etc", "dev"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        std::fs::copy(&*PROGRAM, dir.path().join("usr/bin/pgvitals")).unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        Self(dir)
    }

    /// The program in it with these arguments.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let root = self.0.path().display().to_string();
        // Without rights, a namespace in which we have them.
        let mut command = vec!["unshare", "--mount"];
        command.extend((uid() != 0).then_some("--map-root-user"));
        let uid = uid().to_string();
        command.extend(["sh", "-c", INSIDE, "inside", &root, &uid, USER]);
        command.extend(arguments);
        command.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// "Static binary, `FROM scratch` or distroless, non-root, read-only root file system" (issue 7): names are resolved, TLS
/// is verified, statements pass and are stored, and the health check answers.
#[test]
fn the_program_runs_where_there_is_nothing_else() {
    let cluster = Cluster::encrypted(Cluster::any().major);
    let ca = std::fs::read(&cluster.pki().ca).unwrap();
    let root = Root::with(&[("etc/hosts", b"127.0.0.1 localhost\n"), ("etc/ca.crt", &ca)]);
    let (_, port) = cluster.tcp.host_and_port();
    let tls = "sslmode=verify-full&sslrootcert=/etc/ca.crt";
    let upstream = format!("postgres://localhost:{port}/?{tls}");
    let database = cluster.database();
    let store = format!("postgres://postgres@localhost:{port}/{database}?{tls}");
    // The end leaves five seconds for what is to be written, tables of which nothing is there yet included.
    let made = root.command(&["migrate", "--store", &store]);
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    Tool::system(made[0]).args(&made[1..]).succeed();
    let arguments = ["run", "--upstream", &upstream, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let arguments = [&arguments[..], &["--time-zone", "Europe/Vienna", "--store", &store]].concat();
    let kept = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(kept, "TERM", None, &root.command(&arguments));
    let told = |words: &str| -> SocketAddr {
        keeper.log.await_line(words, |line| line.split_once(words)?.1.split(' ').next()?.parse().ok())
    };
    let (listen, http) = (told(" listening address="), told(" http address="));
    let pgvitals = Pgvitals { listen: vec![Address::Tcp(listen)], http, keeper };
    let mut client = Client::connect(pgvitals.address(), "postgres");
    assert_eq!(client.value("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t");

    let check = |address: &str| {
        let command = root.command(&["healthcheck", "--http", address]);
        Command::new(&command[0]).args(&command[1..]).output().unwrap().status.code()
    };
    assert_eq!(check(&http.to_string()), Some(0));
    assert_eq!(check("127.0.0.1:1"), Some(1));
    let status = std::fs::read_to_string(format!("/proc/{}/status", pgvitals.keeper.pid)).unwrap();
    let owner = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap().split_whitespace().next().unwrap();
    let expected = if uid() == 0 { USER.split(':').next().unwrap().to_owned() } else { uid().to_string() };
    assert_eq!(owner, expected);

    drop(client);
    end(&pgvitals);
    assert_eq!(cluster.client(&database).value("select sum(calls) from pgvitals.query_stats"), "1");
}

/// An empty image has no roots of certificates, and whoever verifies without naming some is told what to do.
#[test]
fn without_roots_it_says_which_setting_names_some() {
    let root = Root::with(&[]);
    let upstream = "postgres://localhost:5432/?sslmode=verify-full";
    let command = root.command(&["run", "--upstream", upstream, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let output = Command::new(&command[0]).args(&command[1..]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("this system has no trusted roots; name a file with them in `tls.upstream_ca`"), "{text}");
    assert!(!output.status.success());
}

/// Good practice, as `hadolint` knows it.
#[test]
fn the_dockerfile_has_no_finding() {
    let program = clients().join("python/bin/hadolint");
    Tool::new(&program).arg(&path("docker/Dockerfile").to_string_lossy()).succeed();
}

/// What is built is built as this repository is: its toolchain, its version of Rust, from what the context holds.
#[test]
fn the_dockerfile_fits_the_repository() {
    let (docker, toolchain) = (read("docker/Dockerfile"), read("rust-toolchain.toml"));
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    assert!(docker.contains(&format!("RUSTUP_TOOLCHAIN={channel}")), "{channel}");
    let minor = channel.rsplit_once('.').map_or(channel, |(minor, _)| minor);
    assert!(docker.contains(&format!("FROM rust:{minor}-")), "{minor}");
    assert!(docker.contains(&format!("USER {USER}")));
    assert!(docker.contains("-C target-feature=+crt-static"));
    // Cargo reads no manifest whose targets are missing.
    let context = read("docker/Dockerfile.dockerignore");
    for needed in ["Cargo.toml", "Cargo.lock", "src", "benches"] {
        assert!(context.lines().any(|line| line.strip_prefix('!') == Some(needed)), "{needed}");
    }
}
