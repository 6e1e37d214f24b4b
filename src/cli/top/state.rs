//! What is on the screen and what keys make of it. No terminal, no clock, no network: keys, answers and instants come in.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::answers::{Active, Alert, Detail, Queries, Second, Statement, Summary, Timeline};
use super::wanted::{GROUPS, SORTS, WINDOWS, Wanted, Who};
use crate::base::units::Stamp;
use crate::cli::text::Text;

/// Seconds that the chart shows.
const SECONDS: usize = 60;
/// Characters of a filter.
const SEARCH_MAX: usize = 200;
/// Rows that are asked for at a time.
const PAGE: u64 = 100;
/// What the API gives at once.
const LIMIT_MAX: u64 = 1_000;
/// After so many answers without a second nobody tells seconds.
const PATIENCE: usize = 3;

/// What a round of questions brought.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub(super) summary: Summary,
    /// Open ones, the worst first.
    pub(super) alerts: Vec<Alert>,
    /// `None` where nobody knows what runs.
    pub(super) active: Option<Active>,
    pub(super) timeline: Option<Timeline>,
    /// Unless a statement was asked for.
    pub(super) queries: Option<Queries>,
    /// If a statement was asked for.
    pub(super) detail: Option<Detail>,
}

/// What a key asks the caller to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// Nothing but to draw.
    Draw,
    /// To end.
    Quit,
}

/// Why there is no answer, and since when.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) text: Text,
    pub(super) since: Stamp,
}

/// All that the screen shows.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) wanted: Wanted,
    /// Where this is asked.
    pub(super) address: String,
    pub(super) zone: TimeZone,
    /// The last answers of all, and when they came.
    pub(super) seen: Option<(Summary, Stamp)>,
    pub(super) alerts: Vec<Alert>,
    pub(super) active: Option<Active>,
    pub(super) queries: Queries,
    pub(super) detail: Option<Detail>,
    /// By minutes, where seconds are not told.
    pub(super) timeline: Option<Timeline>,
    /// Oldest first.
    pub(super) seconds: VecDeque<Second>,
    pub(super) trouble: Option<Trouble>,
    pub(super) paused: bool,
    pub(super) help: bool,
    /// The filter is being written.
    pub(super) typing: bool,
    /// The row that is chosen, and the first that is shown.
    pub(super) chosen: usize,
    pub(super) first: usize,
    /// Lines of a statement that are above the screen.
    pub(super) scrolled: usize,
    /// Rows that the last drawing had room for: how far a page goes.
    pub(super) page: usize,
    rounds: usize,
    /// The list will be another one: the choice goes to its top.
    anew: bool,
}

impl State {
    /// Before the first answer.
    pub(super) fn new(wanted: Wanted, address: String, zone: TimeZone) -> Self {
        Self {
            wanted,
            address,
            zone,
            seen: None,
            alerts: Vec::new(),
            active: None,
            queries: Queries::default(),
            detail: None,
            timeline: None,
            seconds: VecDeque::new(),
            trouble: None,
            paused: false,
            help: false,
            typing: false,
            chosen: 0,
            first: 0,
            scrolled: 0,
            page: 10,
            rounds: 0,
            anew: false,
        }
    }

    /// The row that is chosen.
    pub(super) fn row(&self) -> Option<&Statement> {
        self.queries.queries.get(self.chosen)
    }

    /// Takes what `wanted` brought; what is no longer wanted is left aside.
    pub(super) fn take(&mut self, wanted: &Wanted, answers: anyhow::Result<Answers>, now: Stamp) {
        if *wanted != self.wanted {
            return;
        }
        match answers {
            Ok(answers) => self.show(answers, now),
            Err(error) => {
                let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
                self.trouble = Some(Trouble { text: Text::new(&format!("{error:#}")), since });
            }
        }
    }

    fn show(&mut self, answers: Answers, now: Stamp) {
        self.trouble = None;
        self.rounds += 1;
        self.seen = Some((answers.summary, now));
        (self.alerts, self.active, self.timeline) = (answers.alerts, answers.active, answers.timeline);
        if answers.detail.is_some() {
            self.detail = answers.detail;
        }
        if let Some(queries) = answers.queries {
            // The choice stays on its statement, wherever that went, and at the top if it is there.
            let chosen = self.row().filter(|_| self.chosen > 0 && !self.anew).map(Who::of);
            self.queries = queries;
            let place = self.queries.queries.iter().position(|row| Some(Who::of(row)) == chosen);
            self.choose(place.unwrap_or(if self.anew { 0 } else { self.chosen }));
            self.anew = false;
        }
        let told = !self.seconds.is_empty() && !self.wanted.everybody;
        self.wanted.minutes = !told && (self.wanted.everybody || self.rounds >= PATIENCE);
    }

    /// Takes the second that has just passed.
    pub(super) fn second(&mut self, second: Second) {
        if self.paused {
            return;
        }
        self.seconds.push_back(second);
        while self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
    }

    /// Does what a key says.
    pub(super) fn key(&mut self, key: KeyEvent) -> Effect {
        let held = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if held => return Effect::Quit,
            _ if self.help => self.help = false,
            _ if self.typing => self.write(key.code, held),
            // In a filter, q is a letter.
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = true,
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('w') => self.wanted.window = (self.wanted.window + 1) % WINDOWS.len(),
            KeyCode::Char('W') => self.wanted.window = (self.wanted.window + WINDOWS.len() - 1) % WINDOWS.len(),
            KeyCode::Char('a') => self.wanted.everybody = !self.wanted.everybody,
            code if self.wanted.statement.is_some() => self.read(code),
            code => self.list(code),
        }
        Effect::Draw
    }

    /// Keys of the list.
    fn list(&mut self, code: KeyCode) {
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.choose(self.chosen.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.choose(self.chosen + 1),
            KeyCode::PageUp => self.choose(self.chosen.saturating_sub(self.page)),
            KeyCode::PageDown => self.choose(self.chosen + self.page),
            KeyCode::Home | KeyCode::Char('g') => self.choose(0),
            KeyCode::End | KeyCode::Char('G') => self.choose(usize::MAX),
            KeyCode::Char('s') | KeyCode::Right => self.sort(1),
            KeyCode::Char('S') | KeyCode::Left => self.sort(SORTS.len() - 1),
            KeyCode::Char('d') => {
                self.wanted.group = (self.wanted.group + 1) % GROUPS.len();
                self.anew = true;
            }
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => self.search(String::new()),
            KeyCode::Enter => {
                self.wanted.statement = self.row().map(Who::of);
                (self.detail, self.scrolled) = (None, 0);
            }
            _ => {}
        }
    }

    /// Keys of one statement; how far it goes is known where it is drawn.
    fn read(&mut self, code: KeyCode) {
        let scrolled = self.scrolled;
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.scrolled = scrolled.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.scrolled = scrolled.saturating_add(1),
            KeyCode::PageUp => self.scrolled = scrolled.saturating_sub(self.page),
            KeyCode::PageDown => self.scrolled = scrolled.saturating_add(self.page),
            KeyCode::Home | KeyCode::Char('g') => self.scrolled = 0,
            KeyCode::End | KeyCode::Char('G') => self.scrolled = usize::MAX,
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Enter => {
                self.wanted.statement = None;
                self.detail = None;
            }
            _ => {}
        }
    }

    /// Keys while a filter is written.
    fn write(&mut self, code: KeyCode, held: bool) {
        let mut search = self.wanted.search.clone();
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                search.clear();
            }
            KeyCode::Backspace if search.is_empty() => self.typing = false,
            KeyCode::Backspace => drop(search.pop()),
            KeyCode::Char('u') if held => search.clear(),
            KeyCode::Char(c) if !held && search.chars().count() < SEARCH_MAX => search.push(c),
            _ => {}
        }
        self.search(search);
    }

    fn search(&mut self, search: String) {
        if search != self.wanted.search {
            self.wanted.search = search;
            self.anew = true;
        }
    }

    fn sort(&mut self, steps: usize) {
        self.wanted.sort = (self.wanted.sort + steps) % SORTS.len();
        self.anew = true;
    }

    /// Chooses a row, or the last one, and asks for more rows near the end.
    fn choose(&mut self, row: usize) {
        let rows = &self.queries.queries;
        self.chosen = row.min(rows.len().saturating_sub(1));
        let near = self.chosen + PAGE as usize / 2 >= rows.len();
        if near && (rows.len() as u64) < self.queries.total.min(LIMIT_MAX) && rows.len() as u64 >= self.wanted.limit {
            self.wanted.limit = (self.wanted.limit + PAGE).min(LIMIT_MAX);
        }
    }
}
