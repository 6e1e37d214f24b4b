-- What a process costs, as it stood when it wrote the batch; counts are since its start. NULL where it doesn't tell: an older
-- program, a batch of an earlier life that another process carried here, a system without /proc.
alter table {schema}.batches
    add column cpu_us bigint,
    add column resident_bytes bigint,
    add column calls bigint,
    add column dropped bigint,
    add column series integer;
