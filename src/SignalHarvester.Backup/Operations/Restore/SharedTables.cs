using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Tables that databases of different applications have in common, so that they say nothing of which database it is.</summary>
internal static class SharedTables
{
    /// <summary>What frameworks keep of their own, in lower case.</summary>
    private static readonly HashSet<string> OfFrameworks = new(StringComparer.Ordinal)
    {
        // Which migrations have run.
        "schema_migrations", "schema_migration", "schema_version", "schema_info", "schemaversions", "versioninfo", "migrations", "migration",
        "migration_versions",
        "ar_internal_metadata", "alembic_version", "flyway_schema_history", "databasechangelog", "databasechangeloglock", "knex_migrations",
        "knex_migrations_lock",
        "goose_db_version", "gorp_migrations", "sequelizemeta", "typeorm_metadata", "mikro_orm_migrations", "phinxlog", "doctrine_migration_versions",
        "refinery_schema_history", "grdb_migrations",

        // What a phone's frameworks, mail of an application and its queues need.
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

    /// <summary>What applications that have nothing to do with each other call a table of their own, in lower case.</summary>
    private static readonly HashSet<string> OfAnyApplication = new(StringComparer.Ordinal)
    {
        "user", "users", "account", "accounts", "role", "roles", "permission", "permissions", "session", "sessions", "token", "tokens",
        "setting", "settings", "config", "configuration", "option", "options", "preference", "preferences", "property", "properties",
        "meta", "metadata", "info", "version", "cache", "log", "logs", "audit_log", "event", "events", "job", "jobs", "task_queue", "tag", "tags", "file",
        "files",
    };

    /// <summary>Whether the tables of two databases say that both are of one application.</summary>
    /// <param name="one">The tables of one.</param>
    /// <param name="other">Those of the other.</param>
    /// <param name="isSamePlace">Whether both have the same path, as versions of one database have.</param>
    public static bool AreOfOne(IReadOnlySet<SqliteName> one, IReadOnlySet<SqliteName> other, bool isSamePlace)
    {
        var (ofOne, ofOther) = (Own(one), Own(other));
        if (Telling(ofOne) is { Count: > 0 } tellingOne && Telling(ofOther) is { Count: > 0 } tellingOther)
        {
            (ofOne, ofOther) = (tellingOne, tellingOther);
        }

        // Half is not enough: a CRM and a billing system of two tables each both know customers.
        var common = ofOne.Count(ofOther.Contains);
        return isSamePlace ? common > 0 : common * 2 > Math.Min(ofOne.Count, ofOther.Count);
    }

    /// <summary>Those tables that are no framework's.</summary>
    public static HashSet<SqliteName> Own(IEnumerable<SqliteName> tables) => [.. tables.Where(table =>
        SqliteName.Fold(table.Text) is var name && !OfFrameworks.Contains(name)
            && !Array.Exists(OfFrameworksBegin, beginning => name.StartsWith(beginning, StringComparison.Ordinal)))];

    private static HashSet<SqliteName> Telling(IEnumerable<SqliteName> tables) =>
        [.. tables.Where(table => !OfAnyApplication.Contains(SqliteName.Fold(table.Text)))];
}
