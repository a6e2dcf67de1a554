using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Looks into a backup without restoring it, here and in a bucket; beside it, a restore and then sqlite3.</summary>
internal sealed class Query(Workspace workspace, string database, Module module, S3Gateway gateway) : Step
{
    private const string Shell = "an empty shell";
    private const string Row = "Invoke-SHBackupQuery, a row by its key";
    private const string Count = "Invoke-SHBackupQuery, count(*) of the table";
    private const string Unpack = "zstd -dc, to nothing";
    private const string Peer = "zstd -d, then sqlite3, a row by its key";
    private const string Rows = "Restore-SHBackup -Table, 10 rows from a bucket";
    private const string Bucket = "query";
    private const string Wanted = "id > 500000 and id <= 500010";

    private bool isSent;

    public override string Name => "query";

    public override string Title => "A look into a backup, without restoring it";

    private string Backups => workspace["backups"];

    private string Live => workspace["live.db"];

    private string File => Directory.GetFiles(Backups, "*_full.db.zst").Single();

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Unpack, Peers.Missing("zstd") ?? module.Missing, () => Command.Shell($"zstd -dcq {Quote(File)} > /dev/null"), isBaseline: true);
        yield return Of(Shell, module.Missing, () => module.Nothing());
        yield return Of(Row, module.Missing, () => module.Query(Backups, "select id, source, score from signals where id = 500000"));
        yield return Of(
            Peer, Peers.Missing("zstd", "sqlite3") ?? module.Missing,
            () => Command.Shell(
                $"zstd -dqf {Quote(File)} -o {Quote(workspace["out.db"])}; sqlite3 {Quote(workspace["out.db"])} 'select id, source, score from signals where id = 500000'"));
        yield return Of(Count, module.Missing, () => module.Query(Backups, "select count(*) n from signals not indexed"));
        yield return new Contestant
        {
            Name = Rows,
            Missing = Peers.Missing("sqlite3") ?? S3Gateway.Missing ?? module.Missing,
            Prepare = () =>
            {
                EnsureBackup();
                EnsureSent();
                Command.Shell($"sqlite3 {Quote(Live)} 'delete from signals where {Wanted}; pragma wal_checkpoint(truncate)'").Run();
            },
            Run = () => (module.BringBack(gateway.Place(Bucket), workspace["home"], Live, "signals", Wanted) with { Variables = gateway.Credentials }).Run(),
        };
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("a row by its key, whole process less an empty shell", Less(result, Row) * 1000, 50, "ms"),
        .. Line.Of("count(*) of the table, whole process less an empty shell / zstd -dc", Less(result, Count) / result[Unpack]?.Wall?.Median, 1.3, "x"),
        .. Line.Of("10 rows from a bucket, whole process less an empty shell", Less(result, Rows), 1.0, "s"),
        .. Line.Of(
            "count(*), peak memory less that of an empty shell", (result[Count]?.PeakMemory?.Median - result[Shell]?.PeakMemory?.Median) / 1e6, 120, "MB"),
    ];

    private static double? Less(StepResult result, string contestant) => result[contestant]?.Wall?.Median - result[Shell]?.Wall?.Median;

    private Contestant Of(string name, string? missing, Func<Command> command, bool isBaseline = false) => new()
    {
        Name = name,
        IsBaseline = isBaseline,
        Missing = missing,
        Inputs = [Backups],
        Prepare = EnsureBackup,
        Run = () => command().Run(),
    };

    private void EnsureBackup()
    {
        if (!Directory.Exists(Backups))
        {
            module.Backup(database, Backups).Run();
        }
    }

    private void EnsureSent()
    {
        if (isSent)
        {
            return;
        }

        gateway.EnsureStarted();
        (module.Send(Backups, gateway.Place(Bucket)) with { Variables = gateway.Credentials }).Run();
        System.IO.File.Copy(database, Live, overwrite: true);
        isSent = true;
    }
}
