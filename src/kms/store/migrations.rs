//! The steps that bring the tables of a database to their present form.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::sync::LazyLock;

/// Of which a database remembers the number and the SHA-384 of each: none is changed once it was published.
pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*description).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
});

const STEPS: [(i64, &str, &str); 9] = [
    (1, "users and issues", include_str!("../migrations/0001_users_and_issues.sql")),
    (2, "client keys", include_str!("../migrations/0002_client_keys.sql")),
    (3, "audit", include_str!("../migrations/0003_audit.sql")),
    (10, "certificates", include_str!("../migrations/0010_certificates.sql")),
    (11, "reports", include_str!("../migrations/0011_reports.sql")),
    (12, "redirects", include_str!("../migrations/0012_redirects.sql")),
    (13, "kinds", include_str!("../migrations/0013_kinds.sql")),
    (20, "generations", include_str!("../migrations/0020_generations.sql")),
    (21, "withdrawn generations", include_str!("../migrations/0021_withdrawn_generations.sql")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_folder_is_taken() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kms/migrations");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let steps =
            STEPS.map(|(version, description, _)| format!("{version:04}_{}.sql", description.replace(' ', "_")));
        assert_eq!(files, steps);
    }
}
