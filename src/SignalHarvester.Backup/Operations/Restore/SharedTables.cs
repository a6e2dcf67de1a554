using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Tables that databases of different applications have in common. They do not show which database it is.</summary>
internal static class SharedTables
{
    /// <summary>The tables that frameworks make for themselves, in lower case.</summary>
    private static readonly HashSet<string> OfFrameworks = new(StringComparer.Ordinal)
    {
        // The records of migrations that have run.
        "schema_migrations", "schema_migration", "schema_version", "schema_info", "schemaversions", "versioninfo", "migrations", "migration",
        "migration_versions",
        "ar_internal_metadata", "alembic_version", "flyway_schema_history", "databasechangelog", "databasechangeloglock", "knex_migrations",
        "knex_migrations_lock",
        "goose_db_version", "gorp_migrations", "sequelizemeta", "typeorm_metadata", "mikro_orm_migrations", "phinxlog", "doctrine_migration_versions",
        "refinery_schema_history", "grdb_migrations",

        // The tables of a phone's frameworks, and of an application's accounts, queues and maps.
        "android_metadata", "room_master_table", "z_primarykey", "z_metadata", "z_modelcache", "achange", "atransaction", "atransactionstring",
        "auth_user", "auth_group", "auth_permission", "auth_group_permissions", "auth_user_groups", "auth_user_user_permissions", "authtoken_token",
        "password_resets", "password_reset_tokens", "personal_access_tokens", "failed_jobs", "job_batches", "cache_locks", "action_text_rich_texts",
        "geometry_columns", "spatial_ref_sys",
    };

    private static readonly string[] OfFrameworksBegin =
    [
        "sqlite_", "__ef", "__migration", "__diesel_", "__drizzle_", "_prisma_", "_sqlx_", "_yoyo_", "_litestream_", "_cf_", "d1_migrations", "django_",
        "aspnet", "active_storage_",
        "solid_queue_", "solid_cache_", "solid_cable_", "oban_", "gpkg_", "crsql_",
    ];

    /// <summary>The names that unrelated applications give to tables of their own, in lower case.</summary>
    private static readonly HashSet<string> OfAnyApplication = new(StringComparer.Ordinal)
    {
        "user", "users", "account", "accounts", "role", "roles", "permission", "permissions", "session", "sessions", "token", "tokens",
        "setting", "settings", "config", "configuration", "option", "options", "preference", "preferences", "property", "properties",
        "meta", "metadata", "info", "version", "cache", "log", "logs", "audit_log", "event", "events", "job", "jobs", "task_queue", "tag", "tags", "file",
        "files",
    };

    /// <summary>Whether the tables of two databases show that both belong to one application.</summary>
    /// <param name="one">The tables of the one database.</param>
    /// <param name="other">The tables of the other.</param>
    /// <param name="isSamePlace">Whether both have the same path, as versions of one database have.</param>
    public static bool AreOfOne(IReadOnlySet<SqliteName> one, IReadOnlySet<SqliteName> other, bool isSamePlace)
    {
        var (ofOne, ofOther) = (Own(one), Own(other));
        if (Distinctive(ofOne) is { Count: > 0 } distinctiveOne && Distinctive(ofOther) is { Count: > 0 } distinctiveOther)
        {
            (ofOne, ofOther) = (distinctiveOne, distinctiveOther);
        }

        // Half is not enough: a CRM and a billing system with two tables each both have customers.
        var common = ofOne.Count(ofOther.Contains);
        return isSamePlace ? common > 0 : common * 2 > Math.Min(ofOne.Count, ofOther.Count);
    }

    /// <summary>Returns the tables that belong to no framework.</summary>
    public static HashSet<SqliteName> Own(IEnumerable<SqliteName> tables) => [.. tables.Where(table =>
        SqliteName.Fold(table.Text) is var name && !OfFrameworks.Contains(name)
            && !Array.Exists(OfFrameworksBegin, beginning => name.StartsWith(beginning, StringComparison.Ordinal)))];

    private static HashSet<SqliteName> Distinctive(IEnumerable<SqliteName> tables) =>
        [.. tables.Where(table => !OfAnyApplication.Contains(SqliteName.Fold(table.Text)))];
}
