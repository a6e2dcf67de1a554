using System.Globalization;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>The machine of the measurements.</summary>
internal sealed record Machine(
    string Processor, int Cores, double MemoryGigabytes, string OperatingSystem, string FileSystem, IReadOnlyDictionary<string, string> Tools)
{
    /// <summary>Describes this machine, and the file system of a path.</summary>
    public static Machine Of(string work) => new(
        ProcessorName(),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
        RuntimeInformation.OSDescription,
        new DriveInfo(work).DriveFormat,
        Machines.Tools.Versions());

    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Processor}, {Cores} cores, {MemoryGigabytes} GB, {OperatingSystem}, {FileSystem}; ")
        + string.Join(", ", Tools.Select(tool => $"{tool.Key} {tool.Value}"));

    private static string ProcessorName()
    {
        const string Source = "/proc/cpuinfo";
        var line = File.Exists(Source)
            ? File.ReadLines(Source).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
