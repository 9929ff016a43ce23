-- Words of an agent that did not come are counted up to here, while it is overdue: the time at which the last of them was due.
ALTER TABLE agents ADD COLUMN missed_ns bigint;
