namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>The whole database once, into an empty place.</summary>
internal sealed class FullBackup(Workspace workspace, string database, Module module) : Step
{
    private const string Verified = "New-SHBackup";
    private const string Unverified = "New-SHBackup -NoVerify";
    private const string Encrypted = "New-SHBackup -NoVerify -Recipient";

    // Nobody has its secret half: the machine that makes backups needs none.
    private const string Recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    public override string Name => "backup";

    public override string Title => "Full backup";

    public override IEnumerable<Contestant> Contestants()
    {
        string backups = workspace["backups"], zst = workspace["plain.zst"], script = workspace["script"];
        string restic = workspace["restic"], borg = workspace["borg"];
        string copy = workspace["litestream", "copy.db"], replica = workspace["litestream", "replica"];
        var configuration = workspace["litestream", "litestream.yml"];

        yield return new Contestant
        {
            Name = "zstd -1 -T2",
            IsBaseline = true,
            Missing = Peers.Missing("zstd"),
            Inputs = [database],
            Outputs = [zst],
            Run = Peers.ZstdCompress(database, zst).Run,
        };
        yield return new Contestant
        {
            Name = Verified,
            Missing = module.Missing,
            Inputs = [database],
            Outputs = [backups],
            Run = module.Backup(database, backups, verify: true).Run,
        };
        yield return new Contestant
        {
            Name = Unverified,
            Missing = module.Missing,
            Inputs = [database],
            Outputs = [backups],
            Run = module.Backup(database, backups).Run,
        };
        yield return new Contestant
        {
            Name = Encrypted,
            Missing = module.Missing,
            Inputs = [database],
            Outputs = [backups],
            Run = module.Backup(database, backups, parameters: $"-Recipient {Recipient}").Run,
        };
        yield return new Contestant
        {
            Name = "sqlite3 .backup + sha256sum + zstd",
            Missing = Peers.Missing("sqlite3", "sha256sum", "zstd"),
            Inputs = [database],
            Outputs = [script],
            Prepare = () => Directory.CreateDirectory(script),
            Run = Peers.SqliteScript(database, script).Run,
        };
        yield return new Contestant
        {
            Name = "restic backup",
            Missing = Peers.Missing("restic"),
            Inputs = [database],
            Outputs = [restic],
            Prepare = () => Peers.ResticInit(restic).Run(),
            Run = Peers.ResticBackup(restic, database).Run,
        };
        yield return new Contestant
        {
            Name = "borg create",
            Missing = Peers.Missing("borg"),
            Inputs = [database],
            Outputs = [borg],
            Prepare = () => Peers.BorgInit(borg).Run(),
            Run = Peers.BorgCreate(borg, database).Run,
        };
        yield return new Contestant
        {
            Name = "litestream",
            Missing = Peers.Missing("litestream"),
            Inputs = [copy],
            Outputs = [replica],
            Prepare = () =>
            {
                var folder = Path.GetDirectoryName(copy)!;
                Workspace.Delete(folder);
                Directory.CreateDirectory(folder);
                File.Copy(database, copy);
                File.WriteAllText(configuration, Peers.LitestreamConfiguration(copy, replica));
            },
            Run = Peers.LitestreamSnapshot(configuration, replica).Run,
        };
        yield return new Contestant
        {
            Name = "openssl dgst -sha256 (reads only)",
            Missing = Peers.Missing("openssl"),
            Inputs = [database],
            Run = Peers.OpensslHash(database).Run,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var ours = result[Unverified];
        return
        [
            .. Line.Of("full backup, verified, whole process / zstd -1 -T2", result.WallRatio(result[Verified]), 2.5, "x"),
            .. Line.Of("full backup, verified, peak memory", result[Verified]?.PeakMemory?.Median / 1e6, 200, "MB"),
            .. Line.Of("full backup, not verified, whole process / zstd -1 -T2", result.WallRatio(ours), 1.2, "x"),
            .. Line.Of("full backup, not verified, engine / zstd -1 -T2", result.InsideRatio(ours), 1.0, "x"),
            .. Line.Of(
                "full backup, size of the file / zstd -1 -T2", ours?.Reported(Module.FileSize)?.Median * 1e6 / result.Baseline?.OutputSize?.Median, 1.01, "x"),
            .. Line.Of("full backup, encrypted, engine / not encrypted", result[Encrypted]?.Inside?.Median / ours?.Inside?.Median, 1.15, "x"),
            .. Line.Of("full backup, encrypted, peak memory", result[Encrypted]?.PeakMemory?.Median / 1e6, 200, "MB"),
            .. Line.Of("full backup, peak memory", ours?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }
}
