using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Decides, in a fresh process, what retention would remove of ten thousand backups. Nothing is removed.</summary>
internal sealed class Retention(Workspace workspace, Module module) : Step
{
    private const string NearlyAllGo = "Invoke-SHBackupRetention -WhatIf (nearly all go)";

    private readonly ManyBackups backups = new(workspace, module);

    public override string Name => "retention";

    public override string Title => "Retention decisions over 10,000 backups";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(NearlyAllGo, "");
        yield return Of("Invoke-SHBackupRetention -WhatIf (all stay)", "-KeepWithin '100y'");
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
        Line.Of("retention decisions over 10,000 backups, inside the process", result[NearlyAllGo]?.Inside?.Median, 1, "s");

    private Contestant Of(string name, string rules) => new()
    {
        Name = name,
        Missing = module.Missing,
        Inputs = [backups.Folder],
        Prepare = backups.Make,
        Run = () =>
        {
            var sample = module.Decide(backups.Folder, rules).Run();
            var decided = sample.Reported[Module.Keep] + sample.Reported[Module.Remove];
            return decided == ManyBackups.Count
                ? sample
                : throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{decided} of {ManyBackups.Count} backups were judged."));
        },
    };
}
