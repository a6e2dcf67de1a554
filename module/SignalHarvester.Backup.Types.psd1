# A module of its own, because PowerShell declares a module's types before it loads the module, and these come second.
@{
    ModuleVersion  = '0.1.0'
    GUID           = '0b1b5c3f-4d0e-4f55-9a0a-6a7a6f0f5a51'
    Author         = 'Signal Harvester contributors'
    CompanyName    = 'Signal Harvester'
    Copyright      = '(c) Signal Harvester contributors'
    Description    = 'The types of SignalHarvester.Backup, which loads them.'
    TypesToProcess = @('SignalHarvester.Backup.Types.ps1xml')
}
