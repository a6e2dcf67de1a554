using System.Globalization;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>Runs the contestants of a step in turns, so that a slow minute of the machine falls on all of them.</summary>
internal sealed class Runner(Workspace workspace, Options options)
{
    /// <summary>Returns the step's result; null if --only leaves nothing of it.</summary>
    public StepResult? Run(Step step)
    {
        (Contestant Contestant, ContestantResult Result)[] field =
        [
            .. step.Contestants().Where(c => options.Wants(step, c)).Select(c => (c, new ContestantResult(c))),
        ];
        if (field.Length == 0)
        {
            return null;
        }

        workspace.Clear();
        for (var round = 1; round <= options.Runs; round++)
        {
            foreach ((var contestant, var result) in field)
            {
                if (result.Skipped is null && result.Failed is null && round <= contestant.MostRounds)
                {
                    Tell($"{step.Name} {round}/{options.Runs}: {result.Name} ... ");
                    RunOnce(contestant, result);
                }
            }
        }

        workspace.Clear();
        foreach (var result in field.Select(f => f.Result).Where(r => r.Skipped is not null))
        {
            Tell($"{step.Name}: {result.Name} skipped, {result.Skipped}\n");
        }

        return new StepResult(step.Name, step.Title, [.. field.Select(f => f.Result)]);
    }

    private static void RunOnce(Contestant contestant, ContestantResult result)
    {
        try
        {
            DeleteOutputs(contestant);
            contestant.Prepare();
            foreach (var input in contestant.Inputs)
            {
                Workspace.Warm(input);
            }

            Workspace.Settle();
            var sample = contestant.Run();
            contestant.Check();
            result.Add(contestant.Outputs.Count == 0
                ? sample
                : sample with { OutputSize = contestant.Outputs.Sum(Workspace.SizeOf) });
            Tell(string.Create(CultureInfo.InvariantCulture, $"{sample.Wall:F2} s\n"));
            if (!contestant.KeepsOutputs)
            {
                DeleteOutputs(contestant);
            }
        }
        catch (Exception failure)
        {
            // Whatever happened to one contestant, the others' measurements are kept; the report and the exit code show it.
            result.Failed = failure is BenchException ? failure.Message : $"{failure.GetType().Name}: {failure.Message}";
            Tell($"FAILED: {result.Failed}\n");
        }
    }

    private static void DeleteOutputs(Contestant contestant)
    {
        foreach (var output in contestant.Outputs)
        {
            Workspace.Delete(output);
        }
    }

    private static void Tell(string text) => Console.Error.Write(text);
}
