namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// The first import of the built module in a fresh process: in the PowerShell inside the host, and in pwsh if that is installed.
/// PowerShell's first import of any module compiles its own code for it, which an empty module shows; the rest, after such a
/// module, is the cost of ours.
/// </summary>
internal sealed class ModuleImport(Workspace workspace, Module module) : Step
{
    private const string Cold = "ours (first command of the engine)";
    private const string Warm = "ours (after an empty module)";

    public override string Name => "import";

    public override string Title => "Import-Module in a fresh process";

    public override IEnumerable<Contestant> Contestants()
    {
        var empty = workspace["Empty", "Empty.psd1"];
        yield return Of("an empty module (first command of the engine)", null, empty, isBaseline: true);
        yield return Of(Cold, module.MissingManifest, module.Manifest);
        yield return Of(Warm, module.MissingManifest, module.Manifest, before: empty);
        yield return new Contestant
        {
            Name = "ours (in pwsh)",
            Missing = Tools.Missing("pwsh") ?? module.MissingManifest,
            Inputs = [Path.GetDirectoryName(module.Manifest)!],
            Run = new Command("pwsh",
            [
                "-NoProfile",
                "-NonInteractive",
                "-Command",
                "$watch = [Diagnostics.Stopwatch]::StartNew(); " +
                $"Import-Module {Module.Quote(module.Manifest)} -ErrorAction Stop; " +
                "\"bench:inside=$($watch.Elapsed.TotalSeconds)\"",
            ]).Run,
        };

        Contestant Of(string name, string? missing, string manifest, string? before = null, bool isBaseline = false) => new()
        {
            Name = name,
            IsBaseline = isBaseline,
            Missing = missing,
            Inputs = [Path.GetDirectoryName(manifest)!],
            Prepare = () => MakeEmptyModule(empty),
            Run = Command.Self(["import-module", manifest, .. before is null ? [] : (string[])[before]]).Run,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of($"Import-Module of {Cold}", result[Cold]?.Inside?.Median * 1e3, 150, "ms"),
        .. Line.Of($"Import-Module of {Warm}", result[Warm]?.Inside?.Median * 1e3, 150, "ms"),
    ];

    private static void MakeEmptyModule(string manifest)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(manifest)!);
        File.WriteAllText(manifest, "@{ ModuleVersion = '1.0'; FunctionsToExport = @() }");
    }
}
