using System.Text.RegularExpressions;
using SignalHarvester.Backup.Cloud.Tests.Kubernetes;
using SignalHarvester.Backup.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(ImageFolder))]

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>
/// What the Containerfile puts into the image, made by its own RUN line when it is first asked for; but for `dotnet
/// publish`, whose output is that of the build that these tests belong to.
/// </summary>
public sealed partial class ImageFolder : IDisposable
{
    /// <summary>Where it lies in the image.</summary>
    public const string Home = "/opt/shbackup";

    private readonly TempFolder folder = new(plain: true);
    private readonly Lazy<string> made;

    public ImageFolder() => made = new Lazy<string>(Make);

    /// <summary>The folder that is <see cref="Home"/> in the image.</summary>
    public string Path => made.Value;

    public void Dispose() => folder.Dispose();

    private string Make()
    {
        var target = folder["shbackup"];
        var built = new DirectoryInfo(System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var host = System.IO.Path.Combine(Deployment.Root, "src", "SignalHarvester.Backup.Host", "bin", built.Parent!.Name, built.Name);
        var run = Deployment.Image.Single(instruction => instruction.Name == "RUN").Text;
        Assert.Matches(Publish, run);
        var script = Publish.Replace(run, $"cp -r '{host}' {Home}").Replace(Home, target, StringComparison.Ordinal);
        Tool.Require("sh").Run("-ec", $"cd '{Deployment.Root}'; {script}; chmod -R go+rX '{target}'").EnsureSuccess();
        return target;
    }

    [GeneratedRegex("dotnet publish src/SignalHarvester.Backup.Host -c Release -o /opt/shbackup")]
    private static partial Regex Publish { get; }
}
