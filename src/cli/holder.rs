//! Who holds a port that is wanted.

use std::net::SocketAddr;

/// Ports that usual neighbours in a pod listen on.
const USUAL: &[(u16, &str)] = &[
    (5432, "PostgreSQL"),
    (6432, "PgBouncer or another pooler"),
    (7432, "another pgvitals"),
    (7480, "another pgvitals"),
    (9187, "postgres_exporter"),
];

/// The process that listens on `port`, or a guess by the port's usual owner.
pub(super) fn of(address: SocketAddr) -> String {
    let port = address.port();
    let usual = || USUAL.iter().find(|(usual, _)| *usual == port).map(|(_, name)| format!("perhaps {name}"));
    process::listening_on(port).or_else(usual).unwrap_or_else(|| "another process".to_owned())
}

/// A process is found by the inode of its socket (proc(5)); those of other users and namespaces can't be seen.
#[cfg(target_os = "linux")]
mod process {
    use std::fs;
    use std::path::Path;

    /// State of a listening socket in `/proc/net/tcp`.
    const LISTEN: &str = "0A";

    pub(super) fn listening_on(port: u16) -> Option<String> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
        let inodes: Vec<&str> = tables.iter().flat_map(|table| inodes(table, port)).collect();
        let links: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
        let processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        let holder = processes.filter(|path| holds(path, &links)).min_by_key(|path| id(path))?;
        let name = fs::read_to_string(holder.join("comm")).ok()?;
        Some(format!("{} (process {})", name.trim(), id(&holder)?))
    }

    fn inodes(table: &str, port: u16) -> impl Iterator<Item = &str> {
        let port = format!(":{port:04X}");
        table.lines().filter_map(move |line| {
            let mut fields = line.split_ascii_whitespace();
            let (local, state, inode) = (fields.nth(1)?, fields.nth(1)?, fields.nth(5)?);
            (local.ends_with(&port) && state == LISTEN).then_some(inode)
        })
    }

    fn id(path: &Path) -> Option<u32> {
        path.file_name()?.to_str()?.parse().ok()
    }

    fn holds(process: &Path, links: &[String]) -> bool {
        let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
        id(process).is_some()
            && descriptors.flatten().any(|descriptor| {
                fs::read_link(descriptor.path())
                    .is_ok_and(|to| links.iter().any(|link| to.as_os_str() == link.as_str()))
            })
    }
}

#[cfg(not(target_os = "linux"))]
mod process {
    pub(super) fn listening_on(_port: u16) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_listening_process_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = of(listener.local_addr().unwrap());
        assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
    }
}
