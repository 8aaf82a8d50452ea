-- The tables of Aftertouch. Every statement can be run again. ${database}, ${on_cluster} and ${replicated} are
-- filled in when it is applied: on one node the last two are empty, on a cluster "ON CLUSTER name" and "Replicated".
-- All tables are ReplacingMergeTree: read them with FINAL, or through the views.

CREATE DATABASE IF NOT EXISTS ${database} ${on_cluster};

CREATE TABLE IF NOT EXISTS ${database}.events ${on_cluster}
(
    workspace      LowCardinality(String),
    touchpoint     LowCardinality(String),
    metric         LowCardinality(String) COMMENT 'csat | ces | nps',
    score          UInt8,
    event_id       String COMMENT 'one answer has one id; the first message with it is the row' CODEC(ZSTD(1)),
    occurred_at    DateTime64(3, 'UTC') COMMENT 'when the customer answered' CODEC(Delta(8), ZSTD(1)),
    received_at    DateTime64(3, 'UTC') COMMENT 'when the answer arrived' CODEC(Delta(8), ZSTD(1)),
    interaction_id String CODEC(ZSTD(1)),
    customer_id    String CODEC(ZSTD(1)),
    channel        LowCardinality(String),
    agent          LowCardinality(String) COMMENT 'who handled the contact, at contact time',
    team           LowCardinality(String) COMMENT 'whose contact it was, at contact time',
    locale         LowCardinality(String),
    comment        String CODEC(ZSTD(3)) TTL toDateTime(received_at) + INTERVAL 90 DAY,
    page_url       String CODEC(ZSTD(3)),
    tags           Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    imported       Bool,
    src_partition  UInt16,
    src_offset     UInt64 CODEC(Delta(8), ZSTD(1)),
    replaced       UInt8 COMMENT 'the customer gave a later answer in the same interaction: FINAL hides the row',
    earliness      UInt64 MATERIALIZED 18446744073709551615 - if(replaced = 1, 0, src_offset + 1)
        COMMENT 'the earliest message wins, unless it was replaced',
    is_top         Bool MATERIALIZED score >= transform(metric, ['csat', 'ces', 'nps'], [4, 5, 9], 255),
    is_bad         Bool MATERIALIZED score <= transform(metric, ['csat', 'ces', 'nps'], [2, 3, 6], -1),
    INDEX ix_occurred occurred_at TYPE minmax GRANULARITY 1,
    INDEX ix_customer customer_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ${replicated}ReplacingMergeTree(earliness, replaced)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (workspace, touchpoint, event_id)
TTL toDateTime(received_at) + INTERVAL 400 DAY DELETE
SETTINGS ${deduplication_window} = 10000, ttl_only_drop_parts = 0;

CREATE TABLE IF NOT EXISTS ${database}.panes_1m ${on_cluster}
(
    workspace     LowCardinality(String),
    touchpoint    LowCardinality(String),
    metric        LowCardinality(String),
    pane_start    DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    src_partition UInt16 CODEC(ZSTD(1)),
    segment       UInt64 COMMENT '0, or the stretch of source offsets of late answers; it may hold less than nothing' CODEC(ZSTD(1)),
    n             Int32 CODEC(T64, ZSTD(1)),
    sum           Int32 CODEC(T64, ZSTD(1)),
    sum_sq        Int64 CODEC(T64, ZSTD(1)),
    top           Int32 CODEC(T64, ZSTD(1)),
    bottom        Int32 CODEC(T64, ZSTD(1)),
    hist          Array(Int32) COMMENT 'hist[score + 1]' CODEC(T64, ZSTD(1)),
    version       UInt64 COMMENT 'last source offset counted + 1' CODEC(Delta(8), ZSTD(1)),
    emitted_at    DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMMDD(pane_start)
ORDER BY (workspace, metric, touchpoint, pane_start, src_partition, segment)
TTL pane_start + INTERVAL 35 DAY DELETE
SETTINGS ${deduplication_window} = 10000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS ${database}.panes_1h ${on_cluster}
(
    workspace     LowCardinality(String),
    touchpoint    LowCardinality(String),
    metric        LowCardinality(String),
    pane_start    DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    src_partition UInt16 CODEC(ZSTD(1)),
    segment       UInt64 COMMENT '0, or the stretch of source offsets of late answers; it may hold less than nothing' CODEC(ZSTD(1)),
    n             Int32 CODEC(T64, ZSTD(1)),
    sum           Int32 CODEC(T64, ZSTD(1)),
    sum_sq        Int64 CODEC(T64, ZSTD(1)),
    top           Int32 CODEC(T64, ZSTD(1)),
    bottom        Int32 CODEC(T64, ZSTD(1)),
    hist          Array(Int32) COMMENT 'hist[score + 1]' CODEC(T64, ZSTD(1)),
    version       UInt64 COMMENT 'last source offset counted + 1' CODEC(Delta(8), ZSTD(1)),
    emitted_at    DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(pane_start)
ORDER BY (workspace, metric, touchpoint, pane_start, src_partition, segment)
TTL toDateTime(emitted_at) + INTERVAL 1200 DAY DELETE
SETTINGS ${deduplication_window} = 10000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS ${database}.alerts ${on_cluster}
(
    alert_id        String,
    kind            LowCardinality(String) COMMENT 'bad_contact | drop | repeat_bad_contact',
    state           LowCardinality(String) COMMENT 'firing | acknowledged | resolved',
    severity        LowCardinality(String),
    workspace       LowCardinality(String),
    touchpoint      LowCardinality(String),
    metric          LowCardinality(String),
    team            LowCardinality(String),
    opened_at       DateTime64(3, 'UTC'),
    changed_at      DateTime64(3, 'UTC'),
    title           String,
    message         String,
    value           Float64,
    baseline        Float64,
    low             Float64,
    high            Float64,
    n               UInt32,
    customer_id     String,
    interaction_id  String,
    event_id        String,
    agent           LowCardinality(String),
    channel         LowCardinality(String),
    comment         String TTL toDateTime(opened_at) + INTERVAL 90 DAY,
    last_signal     String,
    last_kind       LowCardinality(String),
    delivery        LowCardinality(String),
    delivery_detail String,
    version         UInt64,
    src_partition   UInt16,
    src_offset      UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (workspace, alert_id)
TTL toDateTime(opened_at) + INTERVAL 1200 DAY DELETE
SETTINGS ${deduplication_window} = 10000, ttl_only_drop_parts = 0;

CREATE TABLE IF NOT EXISTS ${database}.rejected ${on_cluster}
(
    workspace     LowCardinality(String),
    reason        LowCardinality(String),
    detail        String,
    src_topic     LowCardinality(String),
    src_partition UInt16,
    src_offset    UInt64,
    rejected_at   DateTime64(3, 'UTC'),
    payload       String CODEC(ZSTD(3))
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(rejected_at)
ORDER BY (src_topic, src_partition, src_offset)
TTL toDateTime(rejected_at) + INTERVAL 7 DAY DELETE
SETTINGS ${deduplication_window} = 10000, ttl_only_drop_parts = 0;
