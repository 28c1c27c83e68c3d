CREATE TABLE sim_tenants (
  slug text PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  behaviour jsonb NOT NULL,
  running jsonb NOT NULL
);

CREATE TABLE sim_images (
  tag text PRIMARY KEY,
  git_sha text NOT NULL
);
