//! E-mail: text and HTML, over a mail server that the owner names.

use std::path::Path;
use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::error::{Error, Failure};
use super::message::Message;
use super::settings::{Email, Security, Settings};
use super::wording::{clean, shortened, title};
use super::{html, text};

/// Connecting may take so long; the whole conversation has a limit of its own.
const CONNECT_MAX: Duration = Duration::from_secs(15);

/// What a mail server says of a failure is shown so far.
const ANSWER_MAX: usize = 200;

/// A way to the mail server; each message has a connection of its own.
#[derive(Debug)]
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    email: Email,
}

impl Mailer {
    /// To the server of the settings.
    pub(super) fn new(email: &Email, settings: &Settings) -> Result<Self, Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.host)
            .port(email.port)
            .timeout(Some(CONNECT_MAX))
            .hello_name(ClientId::Domain(settings.host.clone()))
            .tls(match email.security {
                Security::None => Tls::None,
                Security::StartTls => Tls::Required(parameters(email, settings.ca.as_deref())?),
                Security::Tls => Tls::Wrapper(parameters(email, settings.ca.as_deref())?),
            });
        let builder = match &email.login {
            Some(login) => builder.credentials(Credentials::new(login.user.clone(), login.password.expose().clone())),
            None => builder,
        };
        Ok(Self { transport: builder.build(), email: email.clone() })
    }

    /// Hands the message to the server.
    pub(super) async fn send(&self, message: &Message, settings: &Settings) -> Result<(), Failure> {
        let letter = self.letter(message, settings)?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn letter(&self, message: &Message, settings: &Settings) -> Result<lettre::Message, Failure> {
        let Email { from, to, .. } = &self.email;
        // The title has no line break left, so the subject can't bring headers of its own.
        let mut builder = lettre::Message::builder()
            .from(from.clone())
            .subject(title(message))
            .header(AutoSubmitted)
            .message_id(None)
            .date_now();
        for mailbox in to {
            builder = builder.to(mailbox.clone());
        }
        let part = |kind, body| SinglePart::builder().header(kind).body(body);
        let body = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, text::body(message, settings)))
            .singlepart(part(ContentType::TEXT_HTML, html::body(message, settings)));
        builder.multipart(body).map_err(|error| Failure::Refused(format!("no e-mail can be made: {error}")))
    }

    fn failure(&self, error: &smtp::Error) -> Failure {
        let mut said = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            said = format!("{said}: {source}");
        }
        let what = format!("mail server {}: {}", self.email.host, shortened(&clean(&said), ANSWER_MAX));
        if error.is_permanent() {
            Failure::Refused(what)
        } else if error.is_transient() {
            Failure::Busy { what, retry_after: None }
        } else {
            Failure::Unreachable(what)
        }
    }
}

fn parameters(email: &Email, ca: Option<&Path>) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(email.host.clone());
    let builder = match ca {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|reason| Error::Read { path: path.to_owned(), reason })?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(Certificate::from_pem(&pem)?)
        }
        None => builder,
    };
    Ok(builder.build_rustls()?)
}

/// Tells other programs not to answer (RFC 3834).
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
