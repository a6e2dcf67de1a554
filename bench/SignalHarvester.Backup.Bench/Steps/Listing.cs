using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Ten thousand backups in one directory, listed by a fresh process.</summary>
internal sealed class Listing(Workspace workspace, Module module) : Step
{
    private const int Count = 10_000;
    private const string First = "Get-SHBackup (no cache yet)";

    public override string Name => "list";

    public override string Title => "Listing of 10,000 backups";

    public override IEnumerable<Contestant> Contestants()
    {
        string directory = workspace["many"];
        yield return Of(First, directory, () =>
        {
            if (!Directory.Exists(directory))
            {
                Fill(directory);
            }

            Workspace.Delete(Path.Combine(directory, ".shbackup"));
        });
        yield return Of("Get-SHBackup (again)", directory, static () => { });
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
        Line.Of("list of 10,000 backups, no cache yet, inside the process", result[First]?.Inside?.Median, 0.5, "s");

    private Contestant Of(string name, string directory, Action prepare) => new()
    {
        Name = name,
        Missing = module.Missing,
        Inputs = [directory],
        Prepare = prepare,
        Run = () =>
        {
            Sample sample = module.List(directory).Run();
            double listed = sample.Reported["backups"];
            return listed == Count
                ? sample
                : throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{listed} of {Count} backups were listed."));
        },
    };

    /// <summary>Clones one real backup of a small database, an hour apart, each with its own id, time and file name.</summary>
    private void Fill(string directory)
    {
        string model = workspace["model"];
        module.Backup(SmallDatabase(), model).Run();
        string sidecar = Directory.GetFiles(model, "backup_*.json").Single();
        string id = Path.GetFileNameWithoutExtension(sidecar);
        string file = Directory.GetFiles(model, id + "_full.db*").Single();
        string ending = Path.GetFileName(file)[id.Length..];

        Directory.CreateDirectory(directory);
        var start = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        for (int i = 0; i < Count; i++)
        {
            DateTime time = start.AddHours(i);
            string clone = time.ToString("'backup_'yyyyMMdd'_'HHmmss'_'ffffff", CultureInfo.InvariantCulture);
            JsonNode fields = JsonNode.Parse(File.ReadAllText(sidecar))!;
            fields["backup_id"] = clone;
            fields["timestamp"] = time.ToString("O", CultureInfo.InvariantCulture);
            fields["backup_path"] = Path.Combine(directory, clone + ending);
            File.Copy(file, Path.Combine(directory, clone + ending));
            File.WriteAllText(Path.Combine(directory, clone + ".json"), fields.ToJsonString());
        }
    }

    private string SmallDatabase()
    {
        string path = workspace["small.db"];
        using SqliteConnection connection = BenchDatabase.Open(path);
        BenchDatabase.Execute(connection, "CREATE TABLE IF NOT EXISTS signals(id INTEGER PRIMARY KEY, payload TEXT)");
        return path;
    }
}
