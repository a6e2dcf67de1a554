@{
    RootModule        = 'Probe.psm1'
    ModuleVersion     = '1.0.0'
    GUID              = '6c1f7c1e-3a55-4a3f-9d6d-0c8f6ad0a001'
    FunctionsToExport = 'Get-Probe', 'Remove-Probe', 'Write-EveryStream', 'Wait-Probe'
    FormatsToProcess  = 'Probe.Format.ps1xml'
}
