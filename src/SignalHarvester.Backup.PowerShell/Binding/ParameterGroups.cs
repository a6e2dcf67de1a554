using System.Management.Automation;
using System.Reflection;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Parameters that several cmdlets share, each declared once, as a property of a group. A cmdlet offers the groups that it takes as its
/// dynamic parameters. (PowerShell accepts one object with dynamic parameters, and a class inherits along one line only.)
/// </summary>
internal sealed class ParameterGroups
{
    private const string CompilersNamespace = "System.Runtime.CompilerServices";

    private readonly List<(RuntimeDefinedParameter Parameter, PropertyInfo Property, object Group)> parameters = [];

    /// <summary>The groups.</summary>
    public IEnumerable<object> Groups => parameters.Select(parameter => parameter.Group).Distinct();

    /// <summary>The parameters for PowerShell; null if there are none. Their Data is the list of the groups, from which the help takes its words.</summary>
    public RuntimeDefinedParameterDictionary? Declared { get; private set; }

    /// <summary>Adds a group.</summary>
    /// <param name="group">An object whose properties with a ParameterAttribute are the parameters.</param>
    /// <param name="isHidden">Whether completion leaves them out. They work all the same.</param>
    public void Add(object group, bool isHidden)
    {
        Declared ??= [];
        foreach (var property in group.GetType().GetProperties())
        {
            var attributes = property.GetCustomAttributes<Attribute>().Where(attribute => attribute.GetType().Namespace != CompilersNamespace).ToList();
            var declarations = attributes.OfType<ParameterAttribute>().ToList();
            if (declarations.Count == 0)
            {
                continue;
            }

            // Each call makes new attributes, so this changes no other cmdlet's.
            declarations.ForEach(declaration => declaration.DontShow = isHidden);
            var parameter = new RuntimeDefinedParameter(property.Name, property.PropertyType, [.. attributes]);
            Declared.Add(property.Name, parameter);
            parameters.Add((parameter, property, group));
        }

        Declared.Data = Groups.ToList();
    }

    /// <summary>Gives the groups the values that PowerShell has bound.</summary>
    public void TakeValues()
    {
        foreach (var (parameter, property, group) in parameters.Where(parameter => parameter.Parameter.IsSet))
        {
            property.SetValue(group, parameter.Value);
        }
    }
}
