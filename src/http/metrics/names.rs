//! Every family: name, type, labels, meaning. `docs/metrics.md` shows this table; a test holds the two together.

use prometheus_client::metrics::MetricType;

/// A family of metrics.
#[derive(Debug)]
pub(in crate::http) struct Family {
    /// Its name, a counter's without `_total`.
    pub(in crate::http) name: &'static str,
    /// Counter, gauge, histogram, info.
    pub(in crate::http) kind: MetricType,
    /// The unit of its values; the last part of the name where it is seconds or bytes.
    #[cfg(test)]
    pub(in crate::http) unit: &'static str,
    /// Names of its labels, `le` aside.
    pub(in crate::http) labels: &'static [&'static str],
    /// What it means.
    pub(in crate::http) help: &'static str,
}

/// Declares the families, each as a constant, and the list of all.
macro_rules! families {
    ($($constant:ident $kind:ident $name:literal $unit:literal [$($label:literal),*] $help:literal;)+) => {
        $(
            #[doc = $help]
            pub(in crate::http) const $constant: Family = Family {
                name: $name,
                kind: MetricType::$kind,
                #[cfg(test)]
                unit: $unit,
                labels: &[$($label),*],
                help: $help,
            };
        )+

        /// Every family, in the order in which they are written.
        #[cfg(test)]
        pub(in crate::http) const ALL: &[Family] = &[$($constant),+];
    };
}

families! {
    BUILD Info "pgvitals_build" "1" ["version"] "The build that runs.";
    STATEMENT_DURATION Histogram "pgvitals_statement_duration_seconds" "seconds" ["database", "kind"]
        "Executions by duration, from the start to the completion.";
    STATEMENT_FIRST_ROW Histogram "pgvitals_statement_first_row_seconds" "seconds" []
        "Executions of data statements that returned rows, by the time to the first one.";
    STATEMENT_CLIENT_STALL Counter "pgvitals_statement_client_stall_seconds" "seconds" []
        "Estimate of the time in which the client, not the server, was waited for.";
    STATEMENT_ERRORS Counter "pgvitals_statement_errors" "executions" ["database", "sqlstate"]
        "Executions that ended with an error.";
    STATEMENTS_ABORTED Counter "pgvitals_statements_aborted" "executions" []
        "Executions during which the connection was lost.";
    STATEMENT_ROWS Counter "pgvitals_statement_rows" "rows" [] "Rows by command tag.";
    PREPARES Counter "pgvitals_prepares" "answers" [] "ParseComplete answers.";
    SLOW_STATEMENTS Counter "pgvitals_slow_statements" "executions" ["level"]
        "Executions of data statements at a level above good: warning, alert, critical.";
    NETWORK_BYTES Counter "pgvitals_network_bytes" "bytes" ["direction"]
        "Protocol bytes of measured connections: in from clients, out to them.";
    STATEMENTS_IN_FLIGHT Gauge "pgvitals_statements_in_flight" "statements" [] "Statements that run now.";
    OLDEST_STATEMENT Gauge "pgvitals_oldest_statement_age_seconds" "seconds" []
        "Age of the statement that has run for longest; 0 when none runs.";
    OLDEST_TRANSACTION Gauge "pgvitals_oldest_transaction_age_seconds" "seconds" []
        "Age of the transaction that has been open for longest; 0 when none is.";
    TRANSACTION_DURATION Histogram "pgvitals_transaction_duration_seconds" "seconds" ["outcome"]
        "Explicit transactions by duration: committed, rolled_back.";
    IDLE_IN_TRANSACTION Counter "pgvitals_idle_in_transaction_seconds" "seconds" []
        "Time that sessions sat idle in a transaction.";
    CONNECTIONS Gauge "pgvitals_connections" "sessions" ["state"]
        "Sessions open now: active (a statement runs), idle_in_transaction, idle.";
    CONNECTIONS_OPENED Counter "pgvitals_connections_opened" "sessions" [] "Sessions that reached ReadyForQuery.";
    CONNECTIONS_FAILED Counter "pgvitals_connections_failed" "connections" ["sqlstate"]
        "Start-ups that failed; sqlstate is (none) where the connection ended without an answer.";
    TLS_STARTUPS Counter "pgvitals_tls_startups" "connections" ["leg", "outcome"]
        "Connections on which TLS was begun or asked for, by leg (client, upstream) and how it came out.";
    CONNECTION_STARTUP Histogram "pgvitals_connection_startup_seconds" "seconds" []
        "Sessions by the time from accept to ReadyForQuery.";
    SESSIONS_ENDED Counter "pgvitals_sessions_ended" "sessions" ["sqlstate"] "Sessions that an error of the server ended.";
    PROTOCOL_ERRORS Counter "pgvitals_protocol_errors" "errors" [] "Errors that belong to no call.";
    MISMATCHES Counter "pgvitals_mismatches" "messages" []
        "ReadyForQuery with too few or too many completions before it.";
    UNMEASURED Counter "pgvitals_unmeasured" "events" ["reason"] "What was forwarded and not measured.";
    SAMPLES_DROPPED Counter "pgvitals_samples_dropped" "samples" ["reason"] "Samples that were measured and lost.";
    STATEMENTS_DISCARDED Counter "pgvitals_statements_discarded" "statements" ["reason"]
        "Statements that a client sent and the server never ran.";
    PANICS Counter "pgvitals_panics" "panics" []
        "Panics of tasks and worker threads, which start again; a worker's end its connections.";
    PROXY_OVERHEAD Histogram "pgvitals_proxy_overhead_seconds" "seconds" []
        "Reads, each 61st of a worker, by the time from their return to that of the write of what they brought.";
    SERIES Gauge "pgvitals_series" "series" [] "Series in memory.";
    SERIES_LIMIT Gauge "pgvitals_series_limit" "series" [] "The most series that may be in memory; the rest is (other).";
    STORE_FLUSH_DURATION Histogram "pgvitals_store_flush_duration_seconds" "seconds" []
        "Batches written to the monitoring tables, by the time that the successful attempt took.";
    STORE_FLUSH_FAILURES Counter "pgvitals_store_flush_failures" "attempts" []
        "Attempts to write a batch that failed; they are repeated.";
    STORE_LAST_FLUSH Gauge "pgvitals_store_last_flush_timestamp_seconds" "seconds" []
        "When a batch was last written, Unix time; 0 before the first.";
    STORE_LAG Gauge "pgvitals_store_lag_seconds" "seconds" []
        "How long the oldest closed minute has been waiting to be written; 0 when none is.";
    STORE_ROWS Counter "pgvitals_store_rows" "rows" [] "Rows written to the monitoring tables.";
    STORE_BYTES Counter "pgvitals_store_bytes" "bytes" [] "Bytes sent for them.";
    STORE_CLOCK_OFFSET Gauge "pgvitals_store_clock_offset_seconds" "seconds" []
        "The store's clock minus ours, measured on the last connection.";
    STORE_SIZE Gauge "pgvitals_store_size_bytes" "bytes" []
        "The monitoring tables with their indexes, as last weighed by this process; 0 before.";
    STORE_AHEAD Gauge "pgvitals_store_partitions_ahead_seconds" "seconds" []
        "For how long ahead every monitoring table has partitions, as last seen by this process; 0 before.";
    STORE_FULL Gauge "pgvitals_store_full" "" []
        "1 while nothing is written because the tables take more than store.max_size.";
    SPOOL_BYTES Gauge "pgvitals_spool_bytes" "bytes" [] "Batches in the journal that are not in the store yet.";
    SPOOL_AGE Gauge "pgvitals_spool_age_seconds" "seconds" []
        "How long the oldest batch in the journal has been waiting; 0 when it is empty.";
    SPOOL_WRITTEN Counter "pgvitals_spool_written_bytes" "bytes" [] "Bytes written to the journal, each second's and batches.";
    ALERTS_OPEN Gauge "pgvitals_alerts_open" "alerts" ["kind", "severity"]
        "Alerts that are open: all where this process judges them, else those that it sees alone.";
    NOTIFICATIONS Counter "pgvitals_notifications" "notifications" ["channel", "outcome"]
        "What people are told of alerts, by channel (slack, email, webhook): sent, retried (an attempt failed and will be repeated), dead (given up).";
    TASK_LAST_SUCCESS Gauge "pgvitals_task_last_success_timestamp_seconds" "seconds" ["task"]
        "When a job last went well in this process, Unix time; hourly-monitoring and daily-maintenance, 0 before the first time.";
    UNUSED_INDEX_BYTES Gauge "pgvitals_unused_index_bytes" "bytes" ["server"]
        "Indexes that nobody uses, at the last look of this process at the server.";
    BLOAT_BYTES Gauge "pgvitals_bloat_bytes" "bytes" ["server", "object"]
        "Space that tables and indexes hold and do not need, by object (table, index), as far as is known.";
    SEQUENCE_USED Gauge "pgvitals_sequence_used_ratio_max" "1" ["server"]
        "How much of its values the sequence that is nearest to its end has handed out, 0 to 1.";
    XID_USED Gauge "pgvitals_xid_used_ratio" "1" ["server"]
        "Transaction ids or multixacts in use, whichever are nearer to where the server stops, 0 to 1.";
    SLOT_RETAINED Gauge "pgvitals_slot_retained_bytes" "bytes" ["server", "slot"]
        "WAL that a replication slot holds back.";
    PROCESS_CPU Counter "process_cpu_seconds" "seconds" [] "CPU time of this process, user and system.";
    PROCESS_RESIDENT Gauge "process_resident_memory_bytes" "bytes" [] "Resident memory of this process.";
    PROCESS_START Gauge "process_start_time_seconds" "seconds" [] "When this process began to measure, Unix time.";
}
