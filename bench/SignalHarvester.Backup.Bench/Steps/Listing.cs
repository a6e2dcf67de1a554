using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Ten thousand backups in one directory, listed by a fresh process.</summary>
internal sealed class Listing(Workspace workspace, Module module) : Step
{
    private const string First = "Get-SHBackup (no cache yet)";

    private readonly ManyBackups backups = new(workspace, module);

    public override string Name => "list";

    public override string Title => "Listing of 10,000 backups";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(First, () =>
        {
            backups.Make();
            Workspace.Delete(Path.Combine(backups.Folder, Module.Cache));
        });
        yield return Of("Get-SHBackup (again)", backups.Make);
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
        Line.Of("list of 10,000 backups, no cache yet, inside the process", result[First]?.Inside?.Median, 0.5, "s");

    private Contestant Of(string name, Action prepare) => new()
    {
        Name = name,
        Missing = module.Missing,
        Inputs = [backups.Folder],
        Prepare = prepare,
        Run = () =>
        {
            var sample = module.List(backups.Folder).Run();
            var listed = sample.Reported["backups"];
            return listed == ManyBackups.Count
                ? sample
                : throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{listed} of {ManyBackups.Count} backups were listed."));
        },
    };
}
