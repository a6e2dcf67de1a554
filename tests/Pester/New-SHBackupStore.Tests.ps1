Describe 'New-SHBackupStore' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'tries a folder and gives it a name' {
        $store = New-SHBackupStore nas ./nas -CreateContainer
        $store.Works | Should -Be 'everything'
        './config/settings.yaml' | Should -FileContentMatch 'nas:'
        (New-SHBackup ./app.db -To nas).Copies | Should -HaveCount 1
    }

    It 'writes nothing with -WhatIf, and nothing that does not work' {
        New-SHBackupStore nas ./nas -CreateContainer -WhatIf | Should -BeNullOrEmpty
        './nas' | Should -Not -Exist
        { New-SHBackupStore nas ./nas -ErrorAction Stop } | Should -Throw -ErrorId 'CloudContainerNotFound,*'
        './config/settings.yaml' | Should -Not -Exist
    }
}
