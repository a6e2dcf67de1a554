using System.Text.RegularExpressions;
using k8s;
using k8s.Models;

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>The content of deploy/kubernetes, as Kubernetes and an image builder read it.</summary>
internal static partial class Deployment
{
    /// <summary>The root of the repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder deploy/kubernetes.</summary>
    public static string Folder { get; } = Path.Combine(Root, "deploy", "kubernetes");

    /// <summary>The variants by their plain manifests, with the folder from which each is rendered.</summary>
    public static IReadOnlyDictionary<string, string> Variants { get; } = new Dictionary<string, string>
    {
        ["same-node"] = Path.Combine(Folder, "overlays", "same-node"),
        ["s3"] = Path.Combine(Folder, "overlays", "s3"),
        ["sidecar"] = Path.Combine(Folder, "overlays", "sidecar"),
        ["continuous"] = Path.Combine(Folder, "overlays", "continuous"),
        ["console"] = Path.Combine(Folder, "examples", "console"),
        ["many-databases"] = Path.Combine(Folder, "examples", "many-databases"),
    };

    /// <summary>Returns the path of a plain manifest.</summary>
    public static string ManifestPath(string variant) => Path.Combine(Folder, "manifests", variant + ".yaml");

    /// <summary>Loads the objects of a plain manifest. A field unknown to Kubernetes is an error.</summary>
    public static IReadOnlyList<object> Load(string variant) => Parse(File.ReadAllText(ManifestPath(variant)));

    /// <summary>Parses the objects of a text.</summary>
    public static IReadOnlyList<object> Parse(string yaml) => KubernetesYaml.LoadAllFromString(yaml, typeMap: null, strict: true);

    /// <summary>Returns all pods of these objects, each with the name of the object that makes it.</summary>
    public static IReadOnlyDictionary<string, V1PodSpec> Pods(IEnumerable<object> objects)
    {
        var pods = new Dictionary<string, V1PodSpec>();
        foreach (var made in objects)
        {
            switch (made)
            {
                case V1CronJob job:
                    pods.Add(job.Metadata.Name, job.Spec.JobTemplate.Spec.Template.Spec);
                    break;
                case V1Job job:
                    pods.Add(job.Metadata.Name, job.Spec.Template.Spec);
                    break;
                case V1Pod pod:
                    pods.Add(pod.Metadata.Name, pod.Spec);
                    break;
                case V1StatefulSet set:
                    pods.Add(set.Metadata.Name, set.Spec.Template.Spec);
                    break;
            }
        }

        return pods;
    }

    /// <summary>Returns all containers of a pod.</summary>
    public static IEnumerable<V1Container> Containers(V1PodSpec pod) => [.. pod.InitContainers ?? [], .. pod.Containers];

    /// <summary>Returns our container of a pod, by its name where it has several.</summary>
    public static V1Container Ours(V1PodSpec pod, string name = "shbackup") => Containers(pod).Single(container => container.Name == name);

    /// <summary>Returns the data of a ConfigMap.</summary>
    public static IDictionary<string, string> ConfigMap(IEnumerable<object> objects, string name) =>
        objects.OfType<V1ConfigMap>().Single(map => map.Metadata.Name == name).Data;

    /// <summary>The instructions of the Containerfile, with continued lines joined.</summary>
    public static IReadOnlyList<(string Name, string Text)> Image { get; } =
    [
        .. Instruction.Matches(File.ReadAllText(Path.Combine(Folder, "Containerfile")).Replace("\r", string.Empty, StringComparison.Ordinal).Replace(
            "\\\n", string.Empty, StringComparison.Ordinal))
            .Select(match => (match.Groups["name"].Value, match.Groups["text"].Value.Trim())),
    ];

    /// <summary>The variables that the image sets.</summary>
    public static IReadOnlyDictionary<string, string> ImageVariables { get; } =
        Variable.Matches(Image.Single(instruction => instruction.Name == "ENV").Text)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);

    /// <summary>The command of the image's health check: a program and its arguments.</summary>
    public static IReadOnlyList<string> HealthCheck { get; } = Exec(Image.Single(instruction => instruction.Name == "HEALTHCHECK").Text.Split("CMD ")[1]);

    /// <summary>Parses a command in exec form, which needs no shell.</summary>
    public static IReadOnlyList<string> Exec(string text) => System.Text.Json.JsonSerializer.Deserialize<string[]>(text)!;

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SignalHarvester.Backup.PowerShell.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests do not lie in the repository.");
        }

        return folder;
    }

    [GeneratedRegex(@"^(?<name>[A-Z]+) (?<text>.*)$", RegexOptions.Multiline)]
    private static partial Regex Instruction { get; }

    [GeneratedRegex(@"(?<name>\w+)=(?<value>\S+)")]
    private static partial Regex Variable { get; }
}
