using System.Globalization;
using System.Text.Json.Nodes;

namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>
/// Ten thousand backups in one directory: clones of one real backup of a small database, an hour apart, each with its
/// own id, time and file name, verified, and made for the daily, weekly and monthly rule in turn.
/// </summary>
internal sealed class ManyBackups(Workspace workspace, Module module)
{
    public const int Count = 10_000;

    private static readonly string[] Policies = ["daily", "weekly", "monthly"];

    /// <summary>Their directory.</summary>
    public string Folder => workspace["many"];

    /// <summary>Makes them, unless they exist.</summary>
    public void Make()
    {
        if (Directory.Exists(Folder))
        {
            return;
        }

        var model = workspace["model"];
        module.Backup(SmallDatabase(), model).Run();
        var sidecar = Directory.GetFiles(model, "backup_*.json").Single();
        var id = Path.GetFileNameWithoutExtension(sidecar);
        var file = Directory.GetFiles(model, id + "_full.db*").Single();
        var ending = Path.GetFileName(file)[id.Length..];

        Directory.CreateDirectory(Folder);
        var start = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        for (var i = 0; i < Count; i++)
        {
            var time = start.AddHours(i);
            var moment = time.ToString("O", CultureInfo.InvariantCulture);
            var clone = time.ToString("'backup_'yyyyMMdd'_'HHmmss'_'ffffff", CultureInfo.InvariantCulture);
            var fields = JsonNode.Parse(File.ReadAllText(sidecar))!;
            fields["backup_id"] = clone;
            fields["timestamp"] = moment;
            fields["backup_path"] = Path.Combine(Folder, clone + ending);
            fields["retention_policy"] = Policies[i % Policies.Length];
            fields["verified"] = true;
            fields["verification_timestamp"] = moment;
            File.Copy(file, Path.Combine(Folder, clone + ending));
            File.WriteAllText(Path.Combine(Folder, clone + ".json"), fields.ToJsonString());
        }
    }

    private string SmallDatabase()
    {
        var path = workspace["small.db"];
        using var connection = BenchDatabase.Open(path);
        BenchDatabase.Execute(connection, "CREATE TABLE IF NOT EXISTS signals(id INTEGER PRIMARY KEY, payload TEXT)");
        return path;
    }
}
