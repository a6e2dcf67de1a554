using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>The soak's command line; its first verb is its own child process.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case [Follow.Verb, var database, var image, var state]:
                    return Follow.Run(database, image, state);
                case ["--help" or "-h"]:
                    Console.WriteLine(SoakOptions.Usage);
                    return 0;
                default:
                    return await RunAsync(SoakOptions.Parse(arguments));
            }
        }
        catch (ArgumentException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return 64;
        }
    }

    private static async Task<int> RunAsync(SoakOptions options)
    {
        if (Directory.Exists(options.Work))
        {
            Directory.Delete(options.Work, recursive: true);
        }

        Directory.CreateDirectory(options.Work);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {options.Seed}, in {options.Work}"));
        var tally = new Tally();
        switch (options.What)
        {
            case "replace":
                await new ReplaceRun(options, tally).RunAsync();
                break;
            case "standby":
                await new StandbyRun(options, tally).RunAsync();
                break;
            default:
                using (var soak = new SoakRun(options, tally))
                {
                    await soak.RunAsync();
                }

                break;
        }

        tally.Say();
        Console.WriteLine(tally.Problems.Count == 0 ? "no problem" : $"{tally.Problems.Count} problems:\n{string.Join('\n', tally.Problems)}");
        return tally.Problems.Count == 0 ? 0 : 1;
    }
}
