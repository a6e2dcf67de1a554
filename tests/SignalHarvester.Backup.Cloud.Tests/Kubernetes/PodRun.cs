using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using k8s.Models;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>
/// Runs a container of a manifest as a node would, as far as that is possible without one. It has its own read-only root with .NET,
/// the system's libraries and the image's folder, but no shell; the manifest's command, variables, volumes and user; no capabilities
/// and no way to new ones. If the network policy lets nothing out, there is no network.
/// </summary>
internal sealed class PodRun : IDisposable
{
    private const string DotNetInImage = "/usr/share/dotnet";

    private readonly TempFolder folder = new(plain: true);
    private readonly IReadOnlyList<object> objects;
    private readonly V1PodSpec pod;
    private readonly ImageFolder image;
    private readonly V1Container container;
    private readonly Dictionary<string, string> volumes;

    /// <summary>Makes the volumes of a pod.</summary>
    /// <param name="image">The image.</param>
    /// <param name="objects">All objects of the manifest: its ConfigMaps, and its network policy.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="claims">The folders for its persistent volumes, by the names of their claims, or of a StatefulSet's templates for them.</param>
    /// <param name="name">The container of ours.</param>
    public PodRun(ImageFolder image, IReadOnlyList<object> objects, V1PodSpec pod, IReadOnlyDictionary<string, string> claims, string name = "shbackup")
    {
        container = Deployment.Ours(pod, name);
        this.image = image;
        this.objects = objects;
        this.pod = pod;
        volumes = new(claims);
        foreach (var volume in pod.Volumes)
        {
            volumes[volume.Name] =
                volume.PersistentVolumeClaim is { } claim ? claims[claim.ClaimName] :
                volume.ConfigMap is { } map ? Project(volume.Name, Deployment.ConfigMap(objects, map.Name)) :
                folder.Folder("volumes", volume.Name);
        }
    }

    /// <summary>The values of Secrets, by the Secrets' names.</summary>
    public Dictionary<string, Dictionary<string, string>> Secrets { get; } = [];

    /// <summary>Additional variables, such as those that Kubernetes sets itself.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Runs the container's own command to its end.</summary>
    public Task<ToolResult> RunAsync() => RunAsync(container.Args);

    /// <summary>Runs the container's program with other arguments to its end.</summary>
    public async Task<ToolResult> RunAsync(IEnumerable<string> arguments)
    {
        using var process = Start(arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new ToolResult("shbackup", process.ExitCode, await output, await error);
    }

    /// <summary>Starts the container's program; the process is that program itself, so that signals reach it.</summary>
    public Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(
            Tool.Find("unshare")!,
            [
                "--mount", "--propagation", "private", .. HasNetwork ? Array.Empty<string>() : ["--net"], Tool.Find("sh")!, "-ec", Script(), "sh",
                .. container.Command, .. arguments,
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in Environment())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public void Dispose() => folder.Dispose();

    /// <summary>Skips the test, visibly, on machines that cannot imitate pods.</summary>
    public static void SkipWhereNone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && System.Environment.IsPrivilegedProcess, "needs root on Linux, to make a pod's root and become its user");
        foreach (var tool in (string[])["unshare", "setpriv", "chroot", "mount"])
        {
            Assert.SkipWhen(Tool.Find(tool) is null, Tool.SkipReason(tool) ?? string.Empty);
        }

        var able = Tool.Require("unshare").Run("--mount", "--net", "true");
        Assert.SkipUnless(able.ExitCode == 0, $"may not make namespaces here: {able.Error.Trim()}");
    }

    private bool HasNetwork => objects.OfType<V1NetworkPolicy>().SingleOrDefault() is not { Spec.Egress: null or { Count: 0 } };

    /// <summary>Returns the image's variables, those of envFrom, and the container's own, in the order in which they override.</summary>
    private Dictionary<string, string> Environment()
    {
        var variables = new Dictionary<string, string>(Deployment.ImageVariables);
        var sources = (container.EnvFrom ?? []).SelectMany(Values);
        foreach (var (name, value) in sources.Concat((container.Env ?? []).Select(variable => KeyValuePair.Create(variable.Name, variable.Value)))
            .Concat(Variables))
        {
            variables[name] = value;
        }

        return variables;
    }

    private IDictionary<string, string> Values(V1EnvFromSource source) =>
        source.SecretRef is { } secret ? Secrets.GetValueOrDefault(secret.Name, [])
        : objects.OfType<V1ConfigMap>().Any(map => map.Metadata.Name == source.ConfigMapRef.Name) ? Deployment.ConfigMap(objects, source.ConfigMapRef.Name)
        : new Dictionary<string, string>();

    /// <summary>Lays down a ConfigMap as the kubelet does: links to the files of a folder that is swapped at once.</summary>
    private string Project(string name, IDictionary<string, string> data)
    {
        var path = folder.Folder("volumes", name);
        Directory.CreateDirectory(Path.Combine(path, "..2026"));
        File.CreateSymbolicLink(Path.Combine(path, "..data"), "..2026");
        foreach (var (file, content) in data)
        {
            File.WriteAllText(Path.Combine(path, "..2026", file), content);
            File.CreateSymbolicLink(Path.Combine(path, file), Path.Combine("..data", file));
        }

        return path;
    }

    private string Script()
    {
        var user = pod.SecurityContext.RunAsUser!.Value.ToString(CultureInfo.InvariantCulture);
        var group = pod.SecurityContext.RunAsGroup!.Value.ToString(CultureInfo.InvariantCulture);
        var root = folder.Folder("root");
        var script = new StringBuilder();
        void Line(string text) => script.Append(text).Append('\n');
        void Bind(string from, string to, bool isReadOnly)
        {
            Line($"mkdir -p '{root}{to}'; mount --bind '{from}' '{root}{to}'");
            if (isReadOnly)
            {
                Line($"mount -o remount,bind,ro '{root}{to}'");
            }
        }

        Line($"mount -t tmpfs -o mode=0755 tmpfs '{root}'");
        foreach (var libraries in (string[])["/usr/lib", "/usr/lib64", "/etc/ssl"])
        {
            if (Directory.Exists(libraries))
            {
                Bind(libraries, libraries, isReadOnly: true);
            }
        }

        Line($"ln -s usr/lib '{root}/lib'; ln -s usr/lib64 '{root}/lib64'");
        // .../shared/Microsoft.NETCore.App/<version>/
        Bind(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")), DotNetInImage, isReadOnly: true);
        Bind(image.Path, ImageFolder.Home, isReadOnly: true);
        // As in Microsoft's images, without the manifest's user.
        Line($"printf 'root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:1654:1654::/home/app:/bin/false\n' > '{root}/etc/passwd'");
        Bind("/proc", "/proc", isReadOnly: false);
        Bind("/dev", "/dev", isReadOnly: false);
        Line($"mkdir -p '{root}/tmp'; touch '{root}/setpriv'; mount --bind '{Tool.Find("setpriv")}' '{root}/setpriv'");
        foreach (var mount in container.VolumeMounts)
        {
            // The effect of fsGroup on a volume, and the form of an emptyDir.
            Line($"chgrp -R {pod.SecurityContext.FsGroup} '{volumes[mount.Name]}'; chmod -R g+rwX '{volumes[mount.Name]}'");
            Bind(volumes[mount.Name], mount.MountPath, mount.ReadOnlyProperty == true);
        }

        if (container.SecurityContext.ReadOnlyRootFilesystem == true)
        {
            Line($"mount -o remount,ro '{root}'");
        }

        Line(
            $"exec chroot '{root}' /setpriv --reuid {user} --regid {group} --groups {pod.SecurityContext.FsGroup} --no-new-privs --inh-caps=-all --bounding-set=-all -- \"$@\"");
        return "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n" + script;
    }
}
