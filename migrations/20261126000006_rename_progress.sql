-- How far SLIs are counted that are not counted at the door: those of an external Prometheus, and those over points of metrics,
-- which have nothing in `series`.
ALTER TABLE prometheus_progress RENAME TO sli_progress;
