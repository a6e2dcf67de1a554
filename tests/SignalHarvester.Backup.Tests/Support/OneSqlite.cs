using System.Runtime.CompilerServices;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>The tests share the engine's SQLite library, which knows its own descriptors from its loading onwards.</summary>
internal static class OneSqlite
{
    [ModuleInitializer]
    public static void Load() => SqliteLibrary.EnsureLoaded();
}
