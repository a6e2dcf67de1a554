using System.Globalization;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>
/// A folder with <c>app.db</c> and <c>backups</c>, which is the current location of an engine. The process's own working directory is
/// another one.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private static readonly Lazy<(byte[] File, string Sidecar)> Template = new(MakeTemplate);

    private readonly TempFolder folder = new();

    /// <summary>Makes the database and starts the engine.</summary>
    /// <param name="answers">The labels of the choices to answer questions with, in order.</param>
    public Workspace(params string[] answers)
    {
        Database = Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        Backups = folder.Folder("backups");
        Session = PowerShellSession.Start(answers);
        MoveTo(folder.Path);
    }

    /// <summary>The engine.</summary>
    public PowerShellSession Session { get; }

    /// <summary>The folder's full path.</summary>
    public string Folder => folder.Path;

    /// <summary>The full path of app.db.</summary>
    public string Database { get; }

    /// <summary>The full path of the backup directory.</summary>
    public string Backups { get; }

    /// <summary>The full path of something in the folder.</summary>
    public string this[params string[] parts] => folder[parts];

    /// <summary>The full paths of all files below the backup directory.</summary>
    public IReadOnlyList<string> BackupFiles => [.. Directory.EnumerateFiles(Backups, "*", SearchOption.AllDirectories)];

    /// <summary>Runs a script.</summary>
    public SessionResult Run(string script, params object[] arguments) => Session.Invoke(script, [], arguments);

    /// <summary>Writes config/settings.yaml, which every cmdlet then finds.</summary>
    /// <returns>Its full path.</returns>
    public string Configure(string yaml)
    {
        Directory.CreateDirectory(this["config"]);
        File.WriteAllText(this["config", "settings.yaml"], yaml);
        return this["config", "settings.yaml"];
    }

    /// <summary>Makes a backup with New-SHBackup.</summary>
    public BackupMetadata MakeBackup(string parameters = "") =>
        Run("New-SHBackup ./app.db " + parameters).WithoutErrors().As<BackupMetadata>().Single();

    /// <summary>Returns the ids in Get-SHBackup's listing, newest first.</summary>
    public IReadOnlyList<string> Listed() => Ids(Run("Get-SHBackup").WithoutErrors());

    /// <summary>Returns the ids in a script's output.</summary>
    public static IReadOnlyList<string> Ids(SessionResult result) => [.. result.As<BackupMetadata>().Select(backup => backup.Id)];

    /// <summary>Adds a good backup of app.db of a given age, without running a cmdlet.</summary>
    /// <param name="age">Its age now.</param>
    /// <param name="edit">Changes its sidecar.</param>
    /// <returns>Its id.</returns>
    public string AddBackup(TimeSpan age, Action<JsonObject>? edit = null)
    {
        var moment = DateTime.UtcNow - age;
        var id = moment.ToString("'backup_'yyyyMMdd'_'HHmmss'_'ffffff", CultureInfo.InvariantCulture);
        var file = Path.Combine(Backups, id + "_full.db.zst");
        File.WriteAllBytes(file, Template.Value.File);
        var sidecar = JsonNode.Parse(Template.Value.Sidecar)!.AsObject();
        sidecar["backup_id"] = id;
        sidecar["backup_path"] = file;
        sidecar["timestamp"] = moment.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);
        sidecar["db_path"] = Database;
        edit?.Invoke(sidecar);
        File.WriteAllText(SidecarOf(id), sidecar.ToJsonString());
        return id;
    }

    /// <summary>Returns the path of a backup's sidecar.</summary>
    public string SidecarOf(string id) => Path.Combine(Backups, id + ".json");

    /// <summary>Returns the path of a backup's file.</summary>
    public string FileOf(string id) => Directory.EnumerateFiles(Backups, id + "_*").Single();

    /// <summary>Changes a backup's sidecar by hand.</summary>
    public void EditSidecar(string id, Action<JsonObject> edit)
    {
        var sidecar = JsonNode.Parse(File.ReadAllText(SidecarOf(id)))!.AsObject();
        edit(sidecar);
        File.WriteAllText(SidecarOf(id), sidecar.ToJsonString());
    }

    /// <summary>Changes a page or two of app.db, after making it so large that this is little.</summary>
    public void Change()
    {
        using var connection = Databases.Open(Database);
        Databases.Execute(connection, """
            CREATE TABLE IF NOT EXISTS bulk(id INTEGER PRIMARY KEY, content BLOB);
            INSERT OR IGNORE INTO bulk SELECT value, randomblob(900) FROM (WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value + 1 FROM n WHERE value < 200) SELECT value FROM n);
            UPDATE bulk SET content = randomblob(900) WHERE id = (abs(random()) % 200) + 1;
            """);
    }

    /// <summary>Makes a backup look as old as given.</summary>
    public void SetAge(string id, TimeSpan age) => EditSidecar(
        id, sidecar => sidecar["timestamp"] = (DateTime.UtcNow - age).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture));

    /// <summary>Changes one byte in the middle of a file.</summary>
    public static void FlipByte(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0xff;
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Damages a database so that it opens and its schema reads, but integrity_check fails.</summary>
    public static void Damage(string database)
    {
        using var file = File.Open(database, FileMode.Open);
        for (var page = 4; page < file.Length / 4096; page++)
        {
            file.Position = page * 4096L;
            file.Write(new byte[64]);
        }
    }

    /// <summary>Makes another folder the session's current location, because this engine has no Set-Location.</summary>
    public void MoveTo(string path) =>
        Run("$null = $ExecutionContext.SessionState.Path.SetLocation([WildcardPattern]::Escape($args[0]))", path).WithoutErrors();

    /// <summary>Closes the engine and removes the folder.</summary>
    public void Dispose()
    {
        Session.Dispose();
        folder.Dispose();
    }

    private static (byte[] File, string Sidecar) MakeTemplate()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup();
        return (File.ReadAllBytes(backup.BackupPath), File.ReadAllText(workspace.SidecarOf(backup.Id)));
    }
}
