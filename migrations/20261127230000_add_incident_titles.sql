-- What people called the SLO when its incident began: the SLO may be renamed, or gone, by the time somebody reads of it.
ALTER TABLE incidents ADD COLUMN title text;
UPDATE incidents SET title = slo;
ALTER TABLE incidents ALTER COLUMN title SET NOT NULL;
