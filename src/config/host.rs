//! This host's own name, and what it says about the service that runs on it.

/// What Kubernetes makes pods' random suffixes of: no vowels, no digits that look like letters.
const POD_ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What the machine says of itself.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// Its name; a pod's name in Kubernetes.
    pub(super) name: String,
    /// Whether it is a pod.
    pub(super) is_pod: bool,
    /// `OTEL_SERVICE_NAME`.
    pub(super) service: Option<String>,
}

impl Host {
    /// What outlives this process and its pod (DESIGN §9, `service`).
    pub(super) fn service(&self) -> &str {
        match &self.service {
            Some(service) => service,
            None if self.is_pod => without_pod_suffix(&self.name),
            None => &self.name,
        }
    }
}

/// The host's name, `localhost` where it has none.
pub(super) fn name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(from_command).unwrap_or_default().trim().to_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Where the kernel doesn't show it as a file (macOS).
fn from_command() -> Option<String> {
    let output = std::process::Command::new("uname").arg("-n").output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// A pod's name without what its controller added: `-<hash>-<5>` of a Deployment, `-<5>` of a DaemonSet or Job,
/// `-<n>` of a StatefulSet.
fn without_pod_suffix(pod: &str) -> &str {
    let Some((base, last)) = pod.rsplit_once('-') else {
        return pod;
    };
    if !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) {
        return base;
    }
    if last.len() != 5 || !is_random(last) {
        return pod;
    }
    match base.rsplit_once('-') {
        Some((deployment, hash)) if (6..=10).contains(&hash.len()) && is_random(hash) => deployment,
        _ => base,
    }
}

fn is_random(text: &str) -> bool {
    text.chars().all(|c| POD_ALPHABET.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_belongs_to_what_made_it() {
        for (pod, service) in [
            ("orders-7d9f8b6c5d-x2x4z", "orders"),
            ("orders-api-5c689d88bb-qlvwx", "orders-api"),
            ("node-agent-x2x4z", "node-agent"),
            ("postgres-0", "postgres"),
            ("orders", "orders"),
            ("my-proxy", "my-proxy"),
            ("batch-nightly", "batch-nightly"),
            ("-", "-"),
        ] {
            assert_eq!(without_pod_suffix(pod), service, "{pod}");
        }
    }

    #[test]
    fn this_host_has_a_name() {
        let name = name();
        assert!(!name.is_empty() && !name.contains(char::is_whitespace), "{name:?}");
    }
}
