using System.Globalization;
using SignalHarvester.Backup.Bench.Children;
using SignalHarvester.Backup.Bench.Steps;

namespace SignalHarvester.Backup.Bench;

/// <summary>The bench's command line; the first verbs are its own child processes.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case [Writer.Verb, string log, string interval, string timeout, .. string[] databases]:
                    await Writer.Run(
                        databases, log, int.Parse(interval, CultureInfo.InvariantCulture), int.Parse(timeout, CultureInfo.InvariantCulture));
                    return 0;
                case ["integrity-check", string database]:
                    IntegrityCheck.Run(database);
                    return 0;
                case ["import-module", string manifest, .. string[] before]:
                    ModuleImporter.Run(manifest, before.FirstOrDefault());
                    return 0;
                case [LogHolder.Verb, string database]:
                    LogHolder.Run(database);
                    return 0;
                case [Checkpoints.Verb, string database]:
                    Checkpoints.Run(database);
                    return 0;
                case [PageChanges.Verb, string database, string pages, string seed]:
                    PageChanges.Make(
                        database, int.Parse(pages, CultureInfo.InvariantCulture), ulong.Parse(seed, CultureInfo.InvariantCulture));
                    return 0;
                case ["--help" or "-h"]:
                    Console.WriteLine(Options.Usage);
                    return 0;
                default:
                    return Run(Options.Parse(arguments));
            }
        }
        catch (BenchException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return 1;
        }
    }

    private static int Run(Options options)
    {
        var workspace = new Workspace(options.Work);
        var database = BenchDatabase.PathOf(workspace, options.SizeMebibytes);
        var module = new Module(workspace);
        using var history = new History(workspace, database, module);
        using var gateway = new S3Gateway(workspace);
        Protection[] protections = [new ModuleProtection(module), new LitestreamProtection()];
        var bucket = new BucketStore(workspace, gateway);
        Step[] steps =
        [
            new FullBackup(workspace, database, module),
            new Verification(workspace, database, module),
            new Restore(workspace, database, module),
            new ManyIndexes(workspace, options.SizeMebibytes, module),
            new Listing(workspace, module),
            new Retention(workspace, module),
            new ModuleImport(workspace, module),
            new Writers(workspace, database, module),
            .. ((int[])[0, 1, 20]).Select(percent => new Incremental(workspace, database, module, percent)),
            new WalBackup(workspace, options.SizeMebibytes, module),
            new ChainRestore(workspace, database, module, history),
            new Fold(workspace, module, history),
            new Offsite(workspace, module, gateway),
            new Query(workspace, database, module, gateway),
            new Scrub(workspace, database, module),
            new ContinuousDelay(workspace, database, protections),
            new ContinuousLoad(workspace, database, protections),
            .. ((int[])[20, 100]).Select(perSecond => new ContinuousLoad(workspace, database, protections, perSecond: perSecond)),
            new ContinuousCheckpoints(workspace, database, protections),
            new ContinuousDelay(workspace, database, protections, bucket),
            new ContinuousLoad(workspace, database, protections, bucket),
            new ContinuousLoad(workspace, database, protections, bucket, perSecond: 100),
            new ContinuousRestore(workspace, database, module),
            new ContinuousCatchUp(workspace, database, module),
            new ContinuousMemory(workspace, protections),
            new ContinuousMemory(workspace, protections, bucket),
            new ContinuousMany(workspace, protections),
        ];

        options.Check(steps);
        if (!Tools.HasGnuTime)
        {
            Console.Error.WriteLine($"{Tools.GnuTime} is missing: processor time and peak memory are not measured.");
        }

        workspace.Clear();
        BenchDatabase.Ensure(database, options.SizeMebibytes);
        var runner = new Runner(workspace, options);
        (Step Step, StepResult Result)[] done =
            [.. steps.Select(step => (step, result: runner.Run(step))).Where(d => d.result is not null).Select(d => (d.step, d.result!))];
        var now = DateTimeOffset.UtcNow;
        var report = new Report(
            now,
            Machine.Of(workspace.Work),
            new FileInfo(database).Length,
            options.Runs,
            [.. done.Select(d => d.Result)],
            [.. done.SelectMany(d => d.Step.Judge(d.Result))]);
        var json = options.Json ?? Path.Combine(
            workspace.Root, "bench", "results", now.ToString("yyyyMMdd'-'HHmmss'.json'", CultureInfo.InvariantCulture));
        report.Save(json);
        Console.WriteLine(Markdown.Of(report));
        Console.Error.WriteLine($"Written: {json} and {Path.ChangeExtension(json, ".md")}");
        return report.Steps.SelectMany(s => s.Contestants).Any(c => c.Failed is not null) ? 1 : 0;
    }
}
