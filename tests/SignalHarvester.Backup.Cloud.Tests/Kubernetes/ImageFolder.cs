using System.Text.RegularExpressions;
using SignalHarvester.Backup.Cloud.Tests.Kubernetes;
using SignalHarvester.Backup.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(ImageFolder))]

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>
/// The Containerfile's content for the image, made by its own RUN line when it is first needed. Only `dotnet publish` is replaced by
/// the output of the build of these tests.
/// </summary>
public sealed partial class ImageFolder : IDisposable
{
    /// <summary>Its path in the image.</summary>
    public const string Home = "/opt/shbackup";

    private readonly TempFolder folder = new(plain: true);
    private readonly Lazy<string> made;

    public ImageFolder() => made = new Lazy<string>(Make);

    /// <summary>The folder that becomes <see cref="Home"/> in the image.</summary>
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
