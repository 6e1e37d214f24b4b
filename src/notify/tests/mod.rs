mod hours;
mod queue;
mod rendering;
mod routes;
mod support;
