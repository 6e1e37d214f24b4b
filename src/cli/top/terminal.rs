//! The terminal: taken over and given back whatever happens, keys, size and signals; here the state meets the world.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::feed::{Order, ask, follow};
use super::options::Options;
use super::palette::Palette;
use super::screen::draw;
use super::state::{Effect, State};
use super::wanted::Wanted;
use crate::cli::client::Client;
use crate::runtime::clock::Clock;

/// Ages are counted in seconds.
const TICK: Duration = Duration::from_secs(1);
/// Of keys and seconds that wait to be drawn.
const WAITING: usize = 64;

/// The terminal as it was, behind the screen.
struct Screen(DefaultTerminal);

impl Screen {
    /// Takes it over; a panic gives it back before it says what happened.
    fn open() -> anyhow::Result<Self> {
        Ok(Self(ratatui::try_init().context("can't take over the terminal; --once prints a table instead")?))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing is left to be done about a terminal that is gone.
        ratatui::try_restore().unwrap_or_default();
    }
}

/// What ends the program from outside.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?]))
    }

    async fn come(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Shows it until somebody quits.
pub(super) async fn show(client: Client, options: &Options, palette: Palette) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let (clock, client) = (Clock::start(), Arc::new(client));
    let mut state = State::new(Wanted::of(options), client.to_string(), TimeZone::system());
    let (orders, ordered) = watch::channel(order(&state));
    let (rounds_in, mut rounds) = mpsc::channel(1);
    let (seconds_in, mut seconds) = mpsc::channel(WAITING);
    tokio::spawn(ask(Arc::clone(&client), ordered, rounds_in, options.interval));
    tokio::spawn(follow(client, seconds_in));
    let mut ticks = tokio::time::interval(TICK);
    let mut screen = Screen::open()?;
    let mut keys = keys()?;
    loop {
        screen.0.draw(|frame| draw(frame, &mut state, palette, clock.stamp()))?;
        tokio::select! {
            key = keys.recv() => {
                let Some(key) = key else { bail!("the terminal is gone") };
                let mut next = Some(key);
                while let Some(key) = next {
                    if press(&mut state, &key) == Effect::Quit {
                        return Ok(());
                    }
                    next = keys.try_recv().ok();
                }
            }
            round = rounds.recv() => {
                let Some((wanted, answers)) = round else { bail!("nobody asks any more: a fault of pgvitals") };
                state.take(&wanted, answers, clock.stamp());
            }
            Some(second) = seconds.recv() => state.second(second),
            _ = ticks.tick() => {}
            () = signals.come() => return Ok(()),
        }
        orders.send_if_modified(|known| {
            let new = order(&state);
            let is_new = *known != new;
            *known = new;
            is_new
        });
    }
}

fn order(state: &State) -> Order {
    Order { wanted: state.wanted.clone(), paused: state.paused }
}

/// What a key does; a change of size is drawn, the rest is nothing.
fn press(state: &mut State, event: &Event) -> Effect {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => state.key(*key),
        _ => Effect::Draw,
    }
}

/// Keys as they are pressed. The thread waits for the next one until the process ends.
fn keys() -> anyhow::Result<mpsc::Receiver<Event>> {
    let (sender, keys) = mpsc::channel(WAITING);
    let read = move || {
        while let Ok(event) = event::read() {
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(read).context("can't start a thread")?;
    Ok(keys)
}
